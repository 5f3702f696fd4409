"""A file that gets its final name only when it is complete: `.NAME.partial` beside it until then.

Owns the partial name, its lock and the rename. A killed process leaves only the partial file, which the next one takes
over; every other failure removes it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.durable import storage_errors, sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FILE_MODE = 0o644


class PartialFile:
    """The file while it is being written; made by `partial_file`."""

    def __init__(self, final: Path, partial: Path, descriptor: int) -> None:
        self._final = final
        self._partial = partial
        self._descriptor = descriptor

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes. Raises StorageError, DISK_FULL among them."""
        rest = memoryview(data)
        with storage_errors(self._final):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def write_all(self, pieces: Sequence[bytes | memoryview]) -> int:
        """Append pieces in one go and return how many bytes they are. Raises StorageError, DISK_FULL among them."""
        size = sum(map(len, pieces))
        with storage_errors(self._final):
            written = os.writev(self._descriptor, pieces)
        if written < size:
            # a disk that is nearly full takes part of it; writing the rest, in order, finds out why
            self.write(memoryview(b"".join(pieces))[written:])
        return size

    def sync(self) -> None:
        """Flush everything written so far to the disk. Raises StorageError."""
        with storage_errors(self._final):
            os.fsync(self._descriptor)

    def commit(self) -> None:
        """Give the synchronised file its final name, replacing an older one. Raises StorageError."""
        with storage_errors(self._final):
            self._partial.replace(self._final)
            sync_directory(self._final.parent)


@contextmanager
def partial_file(final: Path, on_wait: Callable[[], None]) -> Iterator[PartialFile]:
    """Open the empty partial file of a final name, locked against other processes.

    Arguments:
        on_wait: called once when another process is writing the same file, before waiting for it.

    Raises StorageError when the directory cannot be written to.
    """
    partial = final.with_name(f".{final.name}.partial")
    with storage_errors(partial):
        descriptor = _locked(partial, on_wait)
    try:
        yield PartialFile(final, partial, descriptor)
    finally:
        with storage_errors(partial):
            if _names(partial, descriptor):
                partial.unlink()
            os.close(descriptor)


def _locked(partial: Path, on_wait: Callable[[], None]) -> int:
    while True:
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            # the previous holder of the lock may have renamed or removed the file meanwhile
            if _names(partial, descriptor):
                os.ftruncate(descriptor, 0)
                os.fchmod(descriptor, FILE_MODE)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _names(path: Path, descriptor: int) -> bool:
    """Tell whether the path still leads to the open file."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
