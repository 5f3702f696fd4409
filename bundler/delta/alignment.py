"""Where the contents of a base lie in its next release: found by bytes that both have, however far they have moved."""

from __future__ import annotations

import zlib
from statistics import median_low
from typing import TYPE_CHECKING

from bundler.delta.base_window import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.delta.base_window import ContentReader

_PIECE_BYTES = 4 * 1024 * 1024
_NEEDLE_BYTES = 32
# three bytes of one value in eight each: a place in 512 of noise, in a thousand of programs or text, none among zeros
_MARKS = bytes(byte % 8 == 5 for byte in range(256))
_PLACE = bytes((1, 1, 1))
# what is marked at a time
_MARKED_BYTES = 1024 * 1024
# of these, those count whose checksum ends in such bits as zeros
_MASK = 0b111
_MAX_ANCHORS = 16 * 1024
# fewer say nothing: they may have been found by chance
_MIN_ANCHORS = 3


class AnchorIndex:
    """Some places of a base, by the bytes that follow there.

    Arguments:
        contents: of the base, from their start; read to their end.

    Raises what the contents raise.
    """

    def __init__(self, contents: ContentReader) -> None:
        self._offsets: dict[bytes, int | None] = {}
        self._mask = _MASK
        offset = 0
        for piece in cut(contents, _PIECE_BYTES):
            for at, needle in _needles(piece, self._mask):
                # what lies in several places is no anchor
                self._offsets[needle] = None if needle in self._offsets else offset + at
            while len(self._offsets) > _MAX_ANCHORS:
                self._mask = self._mask << 1 | 1
                self._offsets = {
                    needle: place for needle, place in self._offsets.items() if not zlib.crc32(needle) & self._mask
                }
            offset += len(piece)

    def may_have(self, result: memoryview) -> bool | None:
        """Tell whether the base has some of these bytes; None where they are of a kind that tells nothing."""
        needles = [needle for _, needle in _needles(result, self._mask)]
        if len(needles) < _MIN_ANCHORS:
            return None
        return sum(needle in self._offsets for needle in needles) >= _MIN_ANCHORS

    def drift_of(self, result: memoryview, offset: int, drift: int) -> int | None:
        """Return how much further on the base has what a window of the result holds, in bytes; negative: before.

        Arguments:
            result: the window's bytes.
            offset: of these in the contents of the result.
            drift: of the window before, returned where the bytes are of a kind that tells nothing.

        None where the base has nothing of it; `drift` also where the base has it in several places.
        """
        needles = list(_needles(result, self._mask))
        places = [(at, self._offsets.get(needle)) for at, needle in needles]
        drifts = [place - at - offset for at, place in places if place is not None]
        if len(drifts) >= _MIN_ANCHORS:
            return median_low(drifts)
        return None if self.may_have(result) is False else drift


def _needles(piece: memoryview, mask: int) -> Iterator[tuple[int, bytes]]:
    """Yield places that are chosen by what lies there alone, with their bytes."""
    for at in _places(piece):
        needle = bytes(piece[at : at + _NEEDLE_BYTES])
        if len(needle) == _NEEDLE_BYTES and not zlib.crc32(needle) & mask:
            yield at, needle


def _places(piece: memoryview) -> Iterator[int]:
    """Yield where three such bytes stand; no two overlap. Marking and finding takes a quarter of a pattern's time."""
    begin = 0
    while begin < len(piece):
        # with what a place before the end still needs
        marked = bytes(piece[begin : begin + _MARKED_BYTES + len(_PLACE) - 1]).translate(_MARKS)
        end = _MARKED_BYTES
        at = marked.find(_PLACE)
        while at >= 0:
            yield begin + at
            end = max(end, at + len(_PLACE))
            at = marked.find(_PLACE, at + len(_PLACE))
        begin += end
