"""A file on a medium that may not give back all of its bytes: what cannot be read is a gap, not an error."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.durable import MEDIUM_ERRORS, storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# the kernel reads by pages: one that fails does not hide its neighbours
PAGE_BYTES = 4096


class MediumFile:
    """An open file; made by `medium_file`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @property
    def size(self) -> int:
        """Bytes that it should have. Raises StorageError."""
        with storage_errors(self._path):
            return os.fstat(self._descriptor).st_size

    def read(self, count: int, offset: int) -> bytes | None:
        """Return so many bytes, fewer at the file's end; None where some cannot be read. Raises StorageError."""
        pieces: list[bytes] = []
        with storage_errors(self._path):
            try:
                while count and (piece := os.pread(self._descriptor, count, offset)):
                    pieces.append(piece)
                    count, offset = count - len(piece), offset + len(piece)
            except OSError as error:
                if error.errno not in MEDIUM_ERRORS:
                    raise
                return None
        return b"".join(pieces)

    def read_around_gaps(self, count: int, offset: int) -> bytes:
        """Return so many bytes, fewer at the file's end, with zeros for what cannot be read. Raises StorageError."""
        if (whole := self.read(count, offset)) is not None:
            return whole
        end = min(offset + count, self.size)
        starts = range(offset, end, PAGE_BYTES)
        pages = ((self.read(min(PAGE_BYTES, end - at), at), min(PAGE_BYTES, end - at)) for at in starts)
        return b"".join(bytes(size) if page is None else page for page, size in pages)

    def prefetch(self, count: int, offset: int) -> None:
        """Tell the kernel that these bytes are wanted soon; they may be scattered over a slow disk."""
        os.posix_fadvise(self._descriptor, offset, count, os.POSIX_FADV_WILLNEED)


@contextmanager
def medium_file(path: Path) -> Iterator[MediumFile]:
    """Open a file for reading. Raises StorageError."""
    with storage_errors(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield MediumFile(path, descriptor)
    finally:
        os.close(descriptor)
