"""A block of lines of ours in a text file that is somebody else's: put in, replaced whole, taken out. Pure.

Owns the two marks around the block; refuses to know the file's syntax, but that `#` begins a comment. Every other line
is kept as it is, in whatever encoding, and ends with a line feed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Marks(NamedTuple):
    """The lines before and behind a block."""

    begin: str
    end: str


def marks_of(owner: str) -> Marks:
    """Return the marks that say whose the block is."""
    return Marks(f"# {owner}: begin", f"# {owner}: end")


class Place(NamedTuple):
    """Where a block goes.

    Arguments:
        words: for a person, as in "add to FILE, at its end".
        put: takes the file's own lines and the block's, and returns all lines.
    """

    words: str
    put: Callable[[list[str], list[str]], list[str]]


AT_END = Place(tr("at its end"), lambda kept, block: [*kept, *block])


def with_block(content: bytes, lines: Sequence[str], marks: Marks, place: Place = AT_END) -> bytes:
    """Return the file with one block that holds these lines, in place of an earlier one."""
    return _joined(place.put(_without(_lines(content), marks), [marks.begin, *lines, marks.end]))


def without_block(content: bytes, marks: Marks) -> bytes:
    """Return the file without our lines; a beginning whose end is gone stays, for what follows is the operator's."""
    return _joined(_without(_lines(content), marks))


def _without(lines: Sequence[str], marks: Marks) -> list[str]:
    kept: list[str] = []
    began: int | None = None
    for line in lines:
        # an editor may have changed the ends of all lines
        text = line.removesuffix("\r")
        if text == marks.begin:
            began = len(kept)
        kept.append(line)
        if text == marks.end and began is not None:
            del kept[began:]
            began = None
    return kept


def _lines(content: bytes) -> list[str]:
    """Return the lines in any encoding, ended by line feeds alone: a separator within a comment ends none."""
    return content.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if content else []


def _joined(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
