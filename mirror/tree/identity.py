"""Which file was checked: the numbers that the kernel changes whenever a file's bytes do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import os


# the last second that HTTP, FTP and every calendar can write: 9999-12-31 23:59:59
_LAST_S = 253_402_300_799


class Identity(NamedTuple):
    """A file as it was when it was checked; a file of another identity may hold other bytes (stat(2)).

    The change time cannot be set back by whoever may write to the file, so equal identities mean equal content,
    whichever path led to them.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def identity_of(status: os.stat_result) -> Identity:
    """Return the identity that a stat call has found."""
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def date_of(status: os.stat_result) -> int:
    """Return a file's date in seconds since the epoch, kept within what every protocol can write."""
    return min(max(0, int(status.st_mtime)), _LAST_S)
