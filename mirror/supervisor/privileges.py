"""Drop privileges for good (setresuid(2)), and raise the limit of file descriptors."""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
from contextlib import suppress
from dataclasses import dataclass

from bundler.errors import ErrorId, ServeError
from bundler.translation import tr

_PR_SET_NAME, _PR_SET_NO_NEW_PRIVS = 15, 38
_UMASK = 0o077
# more would only make the tables of the kernel larger
_MAX_DESCRIPTORS = 1_048_576


@dataclass(frozen=True, slots=True)
class WorkerUser:
    """Whom the workers become."""

    name: str
    uid: int
    gid: int


def worker_user(user: str) -> WorkerUser | None:
    """Return whom the workers become: nobody else when this process is not root, else the named user.

    Raises ServeError (SERVE_USER_UNKNOWN): no such user, or it is root.
    """
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        found = None
    if found is None or found.pw_uid == 0:
        raise ServeError(
            ErrorId.SERVE_USER_UNKNOWN,
            tr("there is no such user on this host") if found is None else tr("the workers must not run as root"),
            where=tr("--user {user}", user=user),
            remedy=tr("Name an existing user without rights, such as nobody."),
        )
    return WorkerUser(user, found.pw_uid, found.pw_gid)


def drop_privileges(user: WorkerUser) -> None:
    """Give up every right; there is no way back, not even by running a set-user-id program. Raises OSError."""
    os.setgroups([])
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    os.umask(_UMASK)
    # since Linux 3.5; on an older kernel a set-user-id program could still give rights
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def name_process(name: str) -> None:
    """Let ps, top and pkill call this process by a name of up to 15 characters (prctl(2), PR_SET_NAME)."""
    _prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()))


def _prctl(option: int, value: int | ctypes.c_char_p) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def raise_descriptor_limit() -> None:
    """Let this process and its children open as many files as the host allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard or hard == resource.RLIM_INFINITY:
        wanted = min(hard, _MAX_DESCRIPTORS) if hard > 0 else _MAX_DESCRIPTORS
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
