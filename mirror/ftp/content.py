"""What a data connection is to carry: a file's bytes, or a listing. Knows where it is, and whether it is all there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

# for files, a kernel that reads ahead pays off from here on
_READ_AHEAD_FROM_BYTES = 1024 * 1024
# sendfile(2) is not for every file system
_NO_SENDFILE = (22, 38)


class TruncatedError(Exception):
    """The file ended before the size that was promised."""


class UnreadableError(Exception):
    """The disk failed; the text is the system's own."""


class Content(Protocol):
    """Bytes on their way."""

    remaining: int | None
    """How many are left, None when that shows at the end only; 0 is the end."""

    def send(self, socket: int, limit: int) -> int:
        """Send at most so many bytes to a non-blocking socket and return how many; BlockingIOError when it is full."""

    def read(self, limit: int) -> bytes:
        """Return the next bytes without moving on; to be followed by `advance`."""

    def advance(self, count: int) -> None:
        """Move on by what was sent of `read`."""

    def close(self) -> None:
        """Give back what it holds; may be called twice."""


class FileContent:
    """A part of an open file.

    Arguments:
        descriptor: open for reading; owned, and closed by `close`.
        begin, end: the bytes that were promised.
    """

    __slots__ = ("_descriptor", "_offset", "_sendfile", "remaining")

    def __init__(self, descriptor: int, begin: int, end: int) -> None:
        self._descriptor = descriptor
        self._offset = begin
        self._sendfile = True
        self.remaining: int | None = end - begin
        if end - begin >= _READ_AHEAD_FROM_BYTES:
            os.posix_fadvise(descriptor, begin, end - begin, os.POSIX_FADV_SEQUENTIAL)

    def send(self, socket: int, limit: int) -> int:
        """Send without a copy where the file system can (`Content.send`).

        Raises TruncatedError, UnreadableError; OSError when the connection is gone.
        """
        if self._sendfile:
            try:
                sent = os.sendfile(socket, self._descriptor, self._offset, min(limit, self.remaining or 0))
            except OSError as error:
                if error.errno == 5:  # EIO is the disk's; a socket has others
                    raise UnreadableError(error.strerror) from error
                if error.errno not in _NO_SENDFILE:
                    raise
                self._sendfile = False
            else:
                if sent == 0:
                    raise TruncatedError
                self.advance(sent)
                return sent
        sent = os.write(socket, self.read(limit))
        self.advance(sent)
        return sent

    def read(self, limit: int) -> bytes:
        """Return the next bytes (`Content.read`). Raises TruncatedError, UnreadableError."""
        try:
            data = os.pread(self._descriptor, min(limit, self.remaining or 0), self._offset)
        except OSError as error:
            raise UnreadableError(error.strerror) from error
        if not data:
            raise TruncatedError
        return data

    def advance(self, count: int) -> None:
        """Move on (`Content.advance`)."""
        self._offset += count
        self.remaining = (self.remaining or 0) - count

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class TextContent:
    """A listing, made while it is sent.

    Arguments:
        chunks: its parts, none of them empty.
    """

    __slots__ = ("_chunk", "_chunks", "remaining")

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self.remaining: int | None = None
        self._refill()

    def send(self, socket: int, limit: int) -> int:
        """Send (`Content.send`)."""
        sent = os.write(socket, self._chunk[:limit])
        self.advance(sent)
        return sent

    def read(self, limit: int) -> bytes:
        """Return the next bytes (`Content.read`)."""
        return self._chunk[:limit]

    def advance(self, count: int) -> None:
        """Move on (`Content.advance`)."""
        self._chunk = self._chunk[count:]
        self._refill()

    def _refill(self) -> None:
        if not self._chunk:
            self._chunk = next(self._chunks, b"")
            if not self._chunk:
                self.remaining = 0

    def close(self) -> None:
        """Nothing is held."""
