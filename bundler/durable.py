"""Writing to disks that may be full, read-only or disconnected: one translation of errors, one way to replace a file.

Owns the errors for ENOSPC and similar ones, and write-then-rename; refuses to know what the bytes are.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


def sync_directory(directory: Path) -> None:
    """Make renames and new names in a directory survive a power cut (fsync(2), "NOTES")."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file's content in one step: readers see the old bytes or the new ones, also after a power cut.

    Raises StorageError; the old content is then unchanged and no partial file is left.
    """
    with replacing(path, mode=mode) as put:
        put(data)


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Callable[[bytes], None]]:
    """Open a file's replacement, and yield the function that writes and renames it; as `write_durably`, in two steps.

    For bytes that can be requested only once: that the directory can be written to is known before the request.
    Raises StorageError; a replacement that was not written when the block ends is removed.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with storage_errors(path):
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)

    def put(data: bytes) -> None:
        with storage_errors(path):
            file.write(data)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
            sync_directory(path.parent)

    try:
        with os.fdopen(descriptor, "wb") as file:
            yield put
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
