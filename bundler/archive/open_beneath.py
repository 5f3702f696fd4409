"""Open and make things below a directory without ever following a link out of it: one openat per segment, O_NOFOLLOW.

Works on Linux 3.10, where openat2 is not there yet.
"""

from __future__ import annotations

import errno
import os
import stat

# a link or a file in place of a directory, a link in place of a file, a socket or a device without a driver
SOMETHING_ELSE = (errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENODEV)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_root(path: str | os.PathLike[str]) -> int:
    """Open the directory itself; it may be named through links."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def open_directory(root: int, path: str) -> int:
    """Open a directory below the root, "" for the root itself.

    Raises FileNotFoundError; another OSError when a segment is a link or no directory.
    """
    here = os.dup(root)
    for segment in path.split("/") if path else ():
        try:
            below = os.open(segment, _DIRECTORY, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def open_file(root: int, path: str) -> int | None:
    """Open a regular file below the root for reading; None when something else lies there, or on the way to it.

    Raises FileNotFoundError when nothing does, and any other OSError.
    """
    parent, _, name = path.rpartition("/")
    try:
        directory = open_directory(root, parent)
        try:
            # O_NONBLOCK: a fifo in place of the file must not stop us
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=directory)
        finally:
            os.close(directory)
    except OSError as error:
        if error.errno in SOMETHING_ELSE:
            return None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
