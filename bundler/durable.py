"""Reading and writing on disks that may be full, read-only or disconnected: one translation of errors."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def storage_errors(path: Path | str) -> Iterator[None]:
    """Turn an OSError of the block into a StorageError about `path`: DISK_FULL, or STORAGE_UNUSABLE for the rest."""
    try:
        yield
    except OSError as error:
        raise storage_error(path, error) from error


def storage_error(path: Path | str, error: OSError) -> StorageError:
    """Return what `storage_errors` raises for an OSError about `path`."""
    if error.errno in _FULL:
        return StorageError(
            ErrorId.DISK_FULL,
            f"no room left: {error.strerror}",
            where=str(path),
            remedy="Make room or choose another disk, then run the same command again; it goes on where it was.",
        )
    return StorageError(
        ErrorId.STORAGE_UNUSABLE,
        error.strerror or str(error),
        where=str(path),
        remedy="Check that the directory exists and that this user may write there.",
    )
