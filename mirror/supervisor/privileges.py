"""Becoming somebody without rights, for good (setresuid(2)), and taking all file descriptors that one may have."""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
from contextlib import suppress
from dataclasses import dataclass

from bundler.errors import ErrorId, ServeError

_PR_SET_NAME, _PR_SET_NO_NEW_PRIVS = 15, 38
_UMASK = 0o077


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom to become."""

    name: str
    uid: int
    gid: int


def worker_identity(user: str) -> Identity | None:
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
            "there is no such user on this host" if found is None else "the workers must not run as root",
            where=f"--user {user}",
            remedy="Name an existing user without rights, such as nobody.",
        )
    return Identity(user, found.pw_uid, found.pw_gid)


def become(identity: Identity) -> None:
    """Give up every right; there is no way back, not even by running a set-user-id program. Raises OSError."""
    os.setgroups([])
    os.setresgid(identity.gid, identity.gid, identity.gid)
    os.setresuid(identity.uid, identity.uid, identity.uid)
    os.umask(_UMASK)
    # since Linux 3.5; without it the process only could become more by a program that is none of ours
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def name_process(name: str) -> None:
    """Let `ps`, `top` and `pkill` call this process by a name of up to 15 characters (prctl(2), PR_SET_NAME)."""
    _prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()))


def _prctl(option: int, value: int | ctypes.c_char_p) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def raise_descriptor_limit() -> None:
    """Let this process and its children open as many files as the host allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard or hard == resource.RLIM_INFINITY:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, _MOST) if hard > 0 else _MOST, hard))


# more would only make the tables of the kernel larger
_MOST = 1_048_576
