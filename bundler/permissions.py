"""Refuse files that others could have written, or read, where that matters: keys, authorities, passwords.

Owns which permissions are too open for what, and the error; refuses to know what is in the files. Only regular files
count: what a pipe brings (`<(…)` of a shell) has no permissions of its own.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, StorageError
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

_KEY_BITS = stat.S_IWGRP | stat.S_IWOTH | stat.S_IROTH


def require_protected(where: Path | str, status: os.stat_result | None = None) -> None:
    """Refuse a file that is believed (users, authorities, logins) and that everybody may write to.

    Arguments:
        where: its path, followed if it is a link.
        status: of the open file, where there is one; without it the path is looked at, and an absent file passes.

    Raises StorageError (PERMISSIONS_TOO_OPEN).
    """
    mode = _mode(where, status)
    if mode & stat.S_IWOTH:
        raise _too_open(where, mode, tr("everybody may write to it"), "chmod o-w")


def require_protected_directory(where: Path | str, status: os.stat_result) -> None:
    """Refuse a directory whose files are believed, and in which everybody may put others in their place.

    Raises StorageError (PERMISSIONS_TOO_OPEN).
    """
    if status.st_mode & stat.S_IWOTH:
        raise _too_open(where, status.st_mode, tr("everybody may write to it"), "chmod o-w")


def require_private(where: Path | str, status: os.stat_result | None = None) -> None:
    """Refuse a private key that its group or others may write to, or others may read; its group may read it.

    Arguments and errors as of `require_protected`.
    """
    mode = _mode(where, status)
    if mode & _KEY_BITS:
        what = (
            tr("others than its owner may write to it")
            if mode & ~stat.S_IROTH & _KEY_BITS
            else tr("everybody may read it")
        )
        raise _too_open(where, mode, tr("it holds a private key, and {what}", what=what), "chmod g-w,o-rwx")


def require_owner_only(where: Path | str, status: os.stat_result) -> None:
    """Refuse a secret that anybody but its owner may read or write, or that is neither this user's nor root's.

    Arguments and errors as of `require_protected`; the status is that of the open file.
    """
    mode = _mode(where, status)
    if mode & (stat.S_IRWXG | stat.S_IRWXO) or (mode and status.st_uid not in (0, os.geteuid())):
        raise _too_open(where, mode, tr("it holds a secret, and others than this user may read it"), "chmod go-rwx")


def _mode(where: Path | str, status: os.stat_result | None) -> int:
    with suppress(OSError):
        # whoever opens it says best why that fails
        status = status or os.stat(where)  # noqa: PTH116 - a text as well
    return status.st_mode if status is not None and stat.S_ISREG(status.st_mode) else 0


def _too_open(where: Path | str, mode: int, what: str, command: str) -> StorageError:
    return StorageError(
        ErrorId.PERMISSIONS_TOO_OPEN,
        tr("{what} (mode {mode:04o})", what=what, mode=stat.S_IMODE(mode)),
        where=str(where),
        remedy=tr("Make sure that it holds what it should, then `{command} {where}`.", command=command, where=where),
    )
