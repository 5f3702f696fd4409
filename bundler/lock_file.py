"""flock(2) on a file of its own, which the holder of the lock may remove."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bundler.directory_walk import make_directories, open_file_at, unlink_at
from bundler.durable import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True, remove: bool = False) -> Iterator[bool]:
    """Hold a lock on `path` for as long as the context lasts; yields False when another holder has it.

    The kernel releases it when the process ends, however it ends. It excludes threads of one process as well.

    Arguments:
        shared: others may hold it too, if they also share it.
        wait: wait for it, so that the context always yields True.
        remove: remove the file before releasing the lock, so that none is left behind.

    Raises StorageError when the file cannot be created or its file system does not support locks.
    """
    with storage_errors(path):
        descriptor = _acquire(path, shared=shared, wait=wait)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        if remove:
            with suppress(OSError):  # a lock file that stays does no harm
                unlink_at(path)
        os.close(descriptor)


def _acquire(path: Path, *, shared: bool, wait: bool) -> int | None:
    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, operation)
            if _is_still(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _opened(path: Path) -> int:
    # NFS needs a writable descriptor for an exclusive lock: flock(2), "NFS details"
    flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK
    try:
        return open_file_at(path, flags)
    except FileNotFoundError:
        make_directories(path.parent, mode=None)
        return open_file_at(path, flags)


def _is_still(path: Path, descriptor: int) -> bool:
    """Tell whether the path still names the locked file: the last holder may have removed it."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
