"""The contents of a file, read once from start to end, of which the last ones stay at hand."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, BinaryIO, Protocol

from bundler.decompress import LONGEST_MAGIC, CompressedDataError, PlainReader, compression_of
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.patch_recipe import Form

READ_BYTES = 1024 * 1024
_SLACK_BYTES = 4 * 1024 * 1024


class ContentReader(Protocol):
    """What can be read."""

    def read(self, count: int, /) -> bytes:
        """Return at most so many bytes, at least one but at the end."""


class UnreadableContentsError(Exception):
    """A file that has not the form that its contents were to be found in."""


def contents_of(file: BinaryIO, form: Form) -> ContentReader:
    """Return the contents of a file.

    Arguments:
        file: stands at its start; is not closed.
        form: `plain` for the bytes as they are, `gzip` for what all of its members hold, one behind the other.

    Raises UnreadableContentsError; what is returned does when it is read, too.
    """
    return file if form == "plain" else _Unzipped(file)


class _Unzipped:
    def __init__(self, file: BinaryIO) -> None:
        head = file.read(LONGEST_MAGIC)
        compression = compression_of(head)
        if compression is None or compression.name != "gzip":
            raise UnreadableContentsError(tr("it is not a gzip file"))
        self._reader = PlainReader(
            file, head, where=str(getattr(file, "name", "")), compressed=tr("files that patches are made for")
        )

    def read(self, count: int, /) -> bytes:
        try:
            return self._reader.read(count)
        except CompressedDataError as error:
            raise UnreadableContentsError(str(error)) from error


def cut(contents: ContentReader, size: int) -> Iterator[memoryview]:
    """Yield contents in pieces of one size, the last one shorter; each is gone when the next one is asked for.

    Raises what the contents raise.
    """
    view = _room(size)
    while filled := _fill(contents, view):
        yield view[:filled]
        if filled < size:
            return


def _room(size: int) -> memoryview:
    """Return zeros that take memory only as far as they are written: most files are smaller than a window."""
    return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def _fill(contents: ContentReader, view: memoryview) -> int:
    """Read until a view is full or the contents end; return how much that was."""
    filled = 0
    while filled < len(view) and (data := contents.read(min(READ_BYTES, len(view) - filled))):
        view[filled : filled + len(data)] = data
        filled += len(data)
    return filled


class BaseWindow:
    """The last bytes of what was read of a base.

    Arguments:
        contents: of the base, from their start.
        kept_bytes: how many bytes stay at hand.
    """

    def __init__(self, contents: ContentReader, kept_bytes: int) -> None:
        # One buffer for all windows: two of them would not fit into the memory that is allowed. What it has beyond a
        # window is filled before the whole is moved.
        self._buffer = _room(kept_bytes + _SLACK_BYTES)
        self._contents = contents
        self._kept_bytes = kept_bytes
        self._filled = 0
        self.end = 0

    @property
    def at_hand(self) -> memoryview:
        """What is at hand; good until more is read."""
        return self.last(min(self._filled, self._kept_bytes))

    @property
    def start(self) -> int:
        """Where what is at hand begins, in the contents."""
        return self.end - min(self._filled, self._kept_bytes)

    def last(self, count: int) -> memoryview:
        """Return so many bytes before the end; good until more is read.

        Arguments:
            count: at most `kept_bytes`, and what lies before the end.
        """
        return self._buffer[self._filled - count : self._filled]

    def reach(self, end: int) -> bool:
        """Read up to `end`, an offset in the contents; False when they end before.

        Raises what the contents raise.
        """
        while self.end < end:
            if self._filled == len(self._buffer):
                self._buffer[: self._kept_bytes] = self.at_hand
                self._filled = self._kept_bytes
            room = self._buffer[self._filled :][: end - self.end]
            read = _fill(self._contents, room)
            self._filled += read
            self.end += read
            if read < len(room):
                return False
        return True
