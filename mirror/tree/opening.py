"""Open a file that has a URL, or report that it is no longer the one that was checked. Works on Linux 3.10."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from mirror.tree.identity import identity_of

if TYPE_CHECKING:
    from mirror.tree.served import File

# O_NONBLOCK: a fifo in place of the file must not stop a server
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


# this process or host is at a limit of its own
_NOT_THE_FILES_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class NotTheCheckedFileError(Exception):
    """The file is absent, unreadable, or another than the one that was checked.

    Arguments:
        reason: which of these, for the log.
        is_passing: whether it could not be opened for a reason that says nothing about the file.
    """

    def __init__(self, file: File, reason: str, *, is_passing: bool = False) -> None:
        super().__init__(f"{file.path}: {reason}")
        self.file = file
        self.reason = reason
        self.is_passing = is_passing


def open_checked(file: File) -> int:
    """Return a descriptor of the very file that was checked, positioned at its start.

    A link on the way leads nowhere else: what it leads to would be another file. Raises NotTheCheckedFileError.
    """
    if file.identity is None:
        raise NotTheCheckedFileError(file, "was missing or changed when the bundle was loaded")
    try:
        descriptor = os.open(file.place.path, _FLAGS, dir_fd=file.place.directory)
    except OSError as error:
        passing = error.errno in _NOT_THE_FILES_FAULT
        raise NotTheCheckedFileError(file, error.strerror or str(error), is_passing=passing) from error
    if identity_of(os.fstat(descriptor)) != file.identity:
        os.close(descriptor)
        raise NotTheCheckedFileError(file, "has changed since it was checked")
    return descriptor


def is_unchanged(file: File) -> bool:
    """Tell whether the very file that was checked still lies there; one stat call."""
    try:
        status = os.stat(file.place.path, dir_fd=file.place.directory, follow_symlinks=False)
    except OSError:
        return False
    return identity_of(status) == file.identity
