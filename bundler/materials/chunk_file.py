"""Chunks of bytes, as a bundle's reader gives them, as a file that is read once from start to end."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUFFER_BYTES = 256 * 1024


def open_chunks(chunks: Iterator[bytes | memoryview]) -> BinaryIO:
    """Return the file; a read gives all that was asked for, but at the end."""
    return io.BufferedReader(_Chunks(chunks), _BUFFER_BYTES)


class _Chunks(io.RawIOBase, BinaryIO):
    """A BinaryIO only because readers require one."""

    def __init__(self, chunks: Iterator[bytes | memoryview]) -> None:
        super().__init__()
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed asks for any buffer; readers hand in these
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
