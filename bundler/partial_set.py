"""Several files that get their final names together: `.NAME.000.partial` and so on until all of them are complete.

They are called NAME and a number, and belong to whoever holds the partial file of NAME, which is their lock and is
never filled: however many they are, few are open at once. Owns those names; what is in the files, and when they are
complete, is the caller's.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bundler.directory_walk import open_directory_at
from bundler.durable import storage_errors
from bundler.partial_file import FILE_MODE, PartialFile, partial_file, partial_name, remove_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

_AGAIN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = _AGAIN | os.O_CREAT | os.O_EXCL


class PartialSet:
    """The files while they are being written; made by `partial_set`."""

    def __init__(self, final: Path, directory: int, lock: PartialFile) -> None:
        self._final = final
        self._directory = directory
        self._lock = lock
        self._begun: set[str] = set()

    @contextmanager
    def member(self, name: str) -> Iterator[PartialFile]:
        """Open a new file of the set, by the name that it may get; it is on the disk, and closed, with the block's end.

        Raises StorageError.
        """
        with self._opened(name, _NEW) as (file, descriptor):
            self._begun.add(name)
            with storage_errors(self._final.with_name(name)):
                os.fchmod(descriptor, FILE_MODE)
            yield file
            file.sync()

    @contextmanager
    def reopened(self, name: str) -> Iterator[PartialFile]:
        """Open a file of the set once more, to read and change it. Raises StorageError."""
        with self._opened(name, _AGAIN) as (file, _):
            yield file

    @contextmanager
    def _opened(self, name: str, flags: int) -> Iterator[tuple[PartialFile, int]]:
        path = self._final.with_name(name)
        with storage_errors(path):
            descriptor = os.open(partial_name(name), flags, FILE_MODE, dir_fd=self._directory)
        try:
            yield PartialFile(path, self._directory, descriptor), descriptor
        finally:
            os.close(descriptor)

    def commit(self, names: Mapping[str, str]) -> None:
        """Give each file of the set its final name, replacing an older one. Raises StorageError.

        Arguments:
            names: from the name that a file was begun with.
        """
        for begun, name in names.items():
            with storage_errors(self._final.with_name(name)):
                os.rename(partial_name(begun), name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
            self._begun.discard(begun)
        with storage_errors(self._final):
            os.fsync(self._directory)

    def remove_beside(self, names: Iterable[str]) -> None:
        """See `PartialFile.remove_beside`."""
        self._lock.remove_beside(names)

    def names_beside(self) -> list[str]:
        """See `PartialFile.names_beside`."""
        return self._lock.names_beside()

    def discard(self) -> None:
        """Remove the files that have no final name."""
        for name in self._begun:
            with suppress(OSError):
                os.unlink(partial_name(name), dir_fd=self._directory)


@contextmanager
def partial_set(final: Path, on_wait: Callable[[], None]) -> Iterator[PartialSet]:
    """Open an empty set, locked against other processes that write files of this name, or the one file.

    Arguments:
        on_wait: called when another process does, before waiting for it.

    Raises StorageError. Files that have no final name at the block's end are removed.
    """
    with partial_file(final, on_wait) as lock:
        with storage_errors(final):
            directory = open_directory_at(final.parent)
        try:
            with storage_errors(final):
                remove_members(directory, partial_name(final.name))
            files = PartialSet(final, directory, lock)
            try:
                yield files
            finally:
                files.discard()
        finally:
            os.close(directory)
