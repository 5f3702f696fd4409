"""JSON documents of ours that are one long list: read and written an item at a time.

A lock or an index of 50,000 files is 40 MB of text, and three times that as dicts and strings. Here only one item is
JSON at any moment. `json_value` says what is valid and what the bytes look like; this gives the same.
"""

from __future__ import annotations

import codecs
import io
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar

from bundler.model.json_value import (
    PRETTY_ENCODER,
    STRICT_DECODER,
    after_space,
    load_strict,
    require_levels,
    require_text,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bundler.model.json_value import Json

T = TypeVar("T")
# decoded or written at once; a longer item has as much as it takes
BLOCK_BYTES = 256 * 1024
_WHITE_SPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class LongMember:
    """A list within the items that may be long itself: of an item that is larger than a block it is read by items too.

    Arguments:
        name: of the member.
        convert: makes a value of one of its items, where they are read so; `convert` of the listing gets those values.
    """

    name: str
    convert: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class LoadedListing(Generic[T]):
    """A document without its list, and the list's converted items, which can be iterated over once.

    Arguments:
        members: whatever the document is without the list; nobody has looked at it yet.
        items: raises what `convert` raises, and KeyError or TypeError where there is no such list.
    """

    members: Any
    items: Iterable[T]


def load_listing(
    source: bytes | BinaryIO, name: str, convert: Callable[[Any], T], *, long: LongMember | None = None
) -> LoadedListing[T]:
    """Parse a document as `load_strict` does; raises as it does, and what reading raises.

    Arguments:
        source: the document, or a file that holds it and can be read twice.
        name: of the member that is the list.
        convert: makes a value of ours of one item.
        long: a member of the items.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        return _streamed(stream, name, convert, long)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # once more and whole: it knows the place of what is wrong, and the other members come before any item
        stream.seek(0)
        value = load_strict(stream.read())
        return LoadedListing(value, _converted(value, name, convert))


def listing_pieces(members: Mapping[str, Json], name: str, items: Iterable[Json]) -> Iterator[bytes]:
    """Yield, in pieces, what `dump_pretty` returns of the members and, under that name, the list of the items."""
    return listings_pieces(members, {name: items})


def listings_pieces(members: Mapping[str, Json], lists: Mapping[str, Iterable[Json]]) -> Iterator[bytes]:
    """Yield the same of a document that has several such lists, by their names."""
    piece = bytearray()
    for part in _parts(members, lists):
        piece += part
        if len(piece) >= BLOCK_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _parts(members: Mapping[str, Json], lists: Mapping[str, Iterable[Json]]) -> Iterator[bytes]:
    lead = "{"
    for key in sorted((*members, *lists)):
        yield f"{lead}\n  {PRETTY_ENCODER.encode(key)}: ".encode()
        if key in lists:
            yield from _item_parts(lists[key])
        else:
            yield _indented(members[key], 1)
        lead = ","
    yield b"\n}\n"


def _item_parts(items: Iterable[Json]) -> Iterator[bytes]:
    lead = b"["
    for item in items:
        yield lead + b"\n    " + _indented(item, 2)
        lead = b","
    yield b"[]" if lead == b"[" else b"\n  ]"


def _indented(value: Json, levels: int) -> bytes:
    # no string of JSON holds a line break
    return PRETTY_ENCODER.encode(value).replace("\n", "\n" + "  " * levels).encode()


def _converted(value: Any, name: str, convert: Callable[[Any], T]) -> Iterator[T]:
    for item in value[name]:
        yield convert(item)


def _streamed(stream: BinaryIO, name: str, convert: Callable[[Any], T], long: LongMember | None) -> LoadedListing[T]:
    text = _Window(stream)
    members: dict[str, Any] = {}
    items: list[T] | None = None
    for key in _separated(text, "{", "}", text.key):
        if key in members or (key == name and items is not None):
            raise ValueError(tr("the member {key!r} occurs twice", key=key))
        if key == name:
            items = [convert(item) for item in _separated(text, "[", "]", partial(_item, text, long))]
        else:
            members[key] = text.value()
    if text.peek() or items is None:
        raise ValueError(tr("it is no such document"))
    return LoadedListing(members, items)


def _item(text: _Window, long: LongMember | None) -> Any:
    if long is None:
        return text.value()
    text.look_ahead()
    with suppress(ValueError):
        return text.value(at_hand=True)
    members: dict[str, Any] = {}
    for key in _separated(text, "{", "}", text.key):
        if key in members:
            raise ValueError(tr("the member {key!r} occurs twice", key=key))
        if key == long.name:
            members[key] = [long.convert(part) for part in _separated(text, "[", "]", text.value)]
        else:
            members[key] = text.value()
    return members


def _separated(text: _Window, begin: str, end: str, take: Callable[[], T]) -> Iterator[T]:
    """Yield what stands between two brackets, separated by commas; the caller may take more after each."""
    text.expect(begin)
    if text.peek() == end:
        text.expect(end)
        return
    while True:
        yield take()
        if text.peek() == end:
            text.expect(end)
            return
        text.expect(",")


class _Window:
    """The part of a document's text that is being parsed. ValueError at whatever is no JSON."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._ended = False
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """Return the next character that is no white space, or "" at the end."""
        if self._at < len(self._text) and (character := self._text[self._at]) not in _WHITE_SPACE:
            return character
        while True:
            self._at = after_space(self._text, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise ValueError(tr("{character!r} is missing", character=character))
        self._at += 1

    def key(self) -> str:
        key = self.value()
        if not isinstance(key, str):
            raise TypeError("a key is a string")
        self.expect(":")
        return key

    def look_ahead(self) -> None:
        """Have at least a block at hand, or all that is left."""
        if len(self._text) - self._at < BLOCK_BYTES:
            self._more()

    def value(self, *, at_hand: bool = False) -> Any:
        """Return the next value; `at_hand` makes one that goes on in the next block a ValueError too."""
        self.peek()
        while True:
            try:
                value, end = STRICT_DECODER.raw_decode(self._text, self._at)
            except ValueError:
                if at_hand or not self._more():
                    raise
                continue
            # a number may go on in the next block
            if end < len(self._text) or at_hand or not self._more():
                break
        begin, self._at = self._at, end
        require_levels(value, self._text, begin, end)
        # only an escape can name half a pair
        if self._text.find("\\u", begin, end) >= 0:
            require_text(value)
        return value

    def _more(self) -> bool:
        """Decode the next block, and as much as there is: whoever needs two blocks does not parse the first often."""
        if self._ended:
            return False
        block = self._stream.read(max(BLOCK_BYTES, len(self._text) - self._at))
        self._ended = not block
        self._text = self._text[self._at :] + self._decoder.decode(block, final=self._ended)
        self._at = 0
        return True
