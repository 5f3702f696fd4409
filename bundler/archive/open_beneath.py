"""Open files and directories beneath a root without ever following a link: one openat per segment, with O_NOFOLLOW.

What openat2 calls RESOLVE_BENEATH, for Linux 3.10, which does not have openat2 yet.
"""

from __future__ import annotations

import errno
import os
import stat

# a link or a file instead of a directory, a link instead of a file, a socket, a device without a driver
SOMETHING_ELSE = (errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENODEV)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_root(path: str | os.PathLike[str]) -> int:
    """Open the root directory itself; its own path may contain links."""
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
    """Open a regular file below the root for reading; None when it, or a directory on its path, is something else.

    Raises FileNotFoundError when it does not exist, and any other OSError.
    """
    parent, _, name = path.rpartition("/")
    try:
        directory = open_directory(root, parent)
        try:
            # O_NONBLOCK: opening a fifo must not wait for a writer
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
