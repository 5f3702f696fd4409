"""The places by which contents are found again are chosen by three bytes alone, wherever they are read from."""

from __future__ import annotations

import io
import random
import re

import pytest

from bundler.delta.alignment import AnchorIndex, _places

MIB = 1 << 20
_RANDOM = random.Random(8)
# what the places were found by before: bytes of the same set
_PATTERN = re.compile(b"[" + re.escape(bytes(range(5, 256, 8))) + b"]{3}")


@pytest.mark.parametrize("size", [0, 2, 3, 1000, MIB - 1, MIB, MIB + 1, MIB + 2, 3 * MIB + 5])
def test_places_are_those_of_the_pattern_also_where_what_is_marked_at_a_time_ends(size: int) -> None:
    noise, dense = _RANDOM.randbytes(size), bytes(_RANDOM.choices([5, 13, 7], k=size))
    for data in (noise, dense, b"\x05" * size):
        assert list(_places(memoryview(data))) == [match.start() for match in _PATTERN.finditer(data)]


def test_what_tells_nothing_is_neither_of_the_base_nor_foreign() -> None:
    base, other = _RANDOM.randbytes(MIB), _RANDOM.randbytes(MIB)
    index = AnchorIndex(io.BytesIO(base))
    assert [index.may_have(memoryview(data)) for data in (base, other, bytes(MIB))] == [True, False, None]
