"""What a data connection is to carry: a file's bytes, or a listing. Knows where it is, and whether it is all there."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirror.tree.open_file import OpenFile
    from mirror.worker.untaken import Taking

# for files, a kernel that reads ahead pays off from here on
_READ_AHEAD_FROM_BYTES = 1024 * 1024


class UnreadableError(Exception):
    """The disk failed; the text is the system's own."""


class Content(Protocol):
    """Bytes on their way."""

    remaining: int | None
    """How many are left, None when that shows at the end only; 0 is the end."""

    def require_taken(self, taking: Taking) -> None:
        """Raise UntakenError when the client has to have taken more before the next bytes are sent. Raises OSError."""

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
        file: owned, and closed by `close`.
        begin, end: the bytes that were promised.
    """

    __slots__ = ("_file", "_offset", "remaining")

    def __init__(self, file: OpenFile, begin: int, end: int) -> None:
        self._file = file
        self._offset = begin
        self.remaining: int | None = end - begin
        if end - begin >= _READ_AHEAD_FROM_BYTES:
            file.read_ahead(begin, end - begin)

    def send(self, socket: int, limit: int) -> int:
        """Send, most of it without a copy (`Content.send`).

        Raises NotTheCheckedFileError, UnreadableError; OSError when the connection is gone.
        """
        try:
            sent = self._file.send(socket, self._offset, limit, self.remaining or 0, to_end=True)
        except OSError as error:
            if error.errno == errno.EIO:  # the disk's; a socket has others
                raise UnreadableError(error.strerror) from error
            raise
        self.advance(sent)
        return sent

    def require_taken(self, taking: Taking) -> None:
        """Have the client take what it was sent (`Content.require_taken`)."""
        taking.prepare(self._file)
        taking.require_taken(self._file.most_untaken(self.remaining or 0, to_end=True))

    def read(self, limit: int) -> bytes:
        """Return the next bytes (`Content.read`). Raises NotTheCheckedFileError, UnreadableError."""
        try:
            return self._file.read(self._offset, limit, self.remaining or 0, to_end=True)
        except OSError as error:
            raise UnreadableError(error.strerror) from error

    def advance(self, count: int) -> None:
        """Move on (`Content.advance`)."""
        self._offset += count
        self.remaining = (self.remaining or 0) - count

    def close(self) -> None:
        """Close the file."""
        self._file.close()


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

    def require_taken(self, taking: Taking) -> None:
        """Nothing that was made can change."""

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
