"""How far contents have moved: where the bytes of a window of the result lie in the base."""

from __future__ import annotations

from statistics import median_low
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.delta.base_window import BaseWindow

_NEEDLES = 16
# the end of a window says where the next one is
_LOOKED_AT_BYTES = 4 * 1024 * 1024
_NEEDLE_BYTES = 32
# zeros and the like are found everywhere
_MIN_DISTINCT_BYTES = 12
_MIN_FOUND = 3


def drift_of(result: memoryview, offset: int, base: BaseWindow, drift: int) -> int:
    """Return how much further on the base has what the end of a window holds, in bytes; negative: before.

    Arguments:
        result: the window's bytes.
        offset: of these in the contents of the result.
        base: stands where it was put for this window.
        drift: of the window before, returned where too little is found.
    """
    looked_at = min(len(result), _LOOKED_AT_BYTES)
    step = max(_NEEDLE_BYTES, looked_at // _NEEDLES)
    drifts = []
    for at in range(len(result) - looked_at, len(result) - _NEEDLE_BYTES, step):
        needle = bytes(result[at : at + _NEEDLE_BYTES])
        if len(set(needle)) < _MIN_DISTINCT_BYTES:
            continue
        found = base.nearest(needle, offset + at + drift)
        if found is not None:
            drifts.append(found - offset - at)
    return median_low(drifts) if len(drifts) >= _MIN_FOUND else drift
