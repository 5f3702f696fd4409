"""Reading and writing on disks that may be full, read-only or disconnected: one translation of errors."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, StorageError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# what the kernel answers for a place of a medium that it cannot read
MEDIUM_ERRORS = {errno.EIO, errno.ENODATA, errno.EBADMSG, errno.EREMOTEIO, errno.EUCLEAN}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_MAY_WRITE = tr("Check that the directory exists and that this user may write there.")
_REMEDIES = {
    errno.ENOENT: tr("Check the path; what is written there needs its directory first."),
    # a file that a container gets from outside is replaced there alone
    errno.EBUSY: tr("Something is mounted at this very path: unmount it, or change the file where it comes from."),
    errno.EROFS: tr(
        "It lies on a disk that is mounted for reading alone: mount it for writing (`mount -o remount,rw`)."
    ),
}


@contextmanager
def storage_errors(path: Path | str) -> Iterator[None]:
    """Turn an OSError of the block into a StorageError about `path`: DISK_FULL, FILE_TOO_LARGE or STORAGE_UNUSABLE."""
    try:
        yield
    except OSError as error:
        raise storage_error(path, error) from error


def storage_error(path: Path | str, error: OSError) -> StorageError:
    """Return what `storage_errors` raises for an OSError about `path`."""
    if error.errno in _FULL:
        return StorageError(
            ErrorId.DISK_FULL,
            tr("no room left: {reason}", reason=error.strerror),
            where=str(path),
            remedy=tr("Make room or choose another disk, then run the same command again; it goes on where it was."),
        )
    if error.errno == errno.EFBIG:
        return StorageError(
            ErrorId.FILE_TOO_LARGE,
            tr("the file system or a limit (`ulimit -f`) allows no file of this size"),
            where=str(path),
            remedy=tr("Write an archive in parts (--split fat32: no file above 4 GiB - 1), or choose another disk."),
        )
    return StorageError(
        ErrorId.STORAGE_UNUSABLE,
        error.strerror or str(error),
        where=str(path),
        remedy=_REMEDIES.get(error.errno or 0, _MAY_WRITE),
    )
