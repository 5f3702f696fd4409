"""How far the comparison of each bundle's digests is, and which files it found wrong: for all workers to see.

One is under way at a time. A table of fixed size in shared memory; what was begun longest ago makes room.
"""

from __future__ import annotations

import mmap
import struct
import time
from enum import IntEnum
from typing import TYPE_CHECKING

from mirror.shared.locked import ProcessLock
from mirror.tree.comparison import Comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# bundles whose result is kept
PLACES = 16
# between the beginnings of two: what fails at once must not be begun again and again
PAUSE_S = 10.0
# how long a claim waits for the process that is to follow it
CLAIM_S = 10.0
# more files than an index of MAX_INDEX_BYTES can list
_MAX_FILES = 1 << 21
_NUMBER_BITS = 64
_FINGERPRINT = struct.Struct("=4q")


class _Phase(IntEnum):
    """What a place holds; after a process that did not come to its end nothing but what was found wrong."""

    NONE = 0
    CLAIMED = 1
    RUNNING = 2
    OVER = 3


class _Number(IntEnum):
    """Numbers of a place; the fingerprint and a bit for each file follow behind them."""

    PHASE = 0
    FILES = 1
    SIZE = 2
    WRONG = 3
    ENDED_S = 4
    CLAIMED_MS = 5


_BITS = len(_Number) + 4
_PLACE_NUMBERS = _BITS + _MAX_FILES // _NUMBER_BITS


class ComparisonRecord:
    """One place, written by the process that compares and by nobody else."""

    def __init__(self, numbers: memoryview) -> None:
        self._numbers = numbers
        self._numbers[_Number.PHASE] = _Phase.RUNNING

    def add_read(self, size: int) -> None:
        """Count bytes that were read."""
        self._numbers[_Number.SIZE] += size

    def add_file(self) -> None:
        """Count a file that was looked at."""
        self._numbers[_Number.FILES] += 1

    def add_wrong(self, number: int) -> None:
        """Name a file of the bundle that is not the listed one."""
        place, bit = divmod(number, _NUMBER_BITS)
        # the numbers have a sign, which is the last bit
        self._numbers[_BITS + place] |= 1 << bit if bit < _NUMBER_BITS - 1 else -1 << bit
        # after the bit: whoever sees the count sees the file
        self._numbers[_Number.WRONG] += 1

    def end(self, now_s: int) -> Comparison:
        """Say that every file was looked at, and when; return what came of it."""
        self._numbers[_Number.ENDED_S] = now_s
        self._numbers[_Number.PHASE] = _Phase.OVER
        return _comparison(self._numbers)


class Comparisons:
    """The table; made before the workers are forked, used by the main thread of each.

    A bundle is known by its fingerprint, 32 bytes, which is another one as soon as any of its files is.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = ProcessLock()
        # pages that nobody writes to take no memory
        page = memoryview(mmap.mmap(-1, PLACES * _PLACE_NUMBERS * _NUMBER_BITS // 8)).cast("q")
        self._places = [page[number * _PLACE_NUMBERS : (number + 1) * _PLACE_NUMBERS] for number in range(PLACES)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever compared."""
        return not any(place[_Number.CLAIMED_MS] for place in self._places)

    def find(self, fingerprint: bytes) -> Comparison | None:
        """Return how far a bundle's comparison is; None for one that is neither under way nor over."""
        place = self._place(fingerprint)
        if place is None or not (self._is_active(place) or place[_Number.PHASE] == _Phase.OVER):
            return None
        return _comparison(place)

    def wrong_count(self, fingerprint: bytes) -> int:
        """Return how many files of a bundle were found wrong."""
        place = self._place(fingerprint)
        return 0 if place is None else int(place[_Number.WRONG])

    def wrong_files(self, fingerprint: bytes) -> Iterator[int]:
        """Yield the numbers of these files, sorted."""
        place = self._place(fingerprint)
        if place is None:
            return
        for at, bits in enumerate(place[_BITS:]):
            if bits:
                yield from (at * _NUMBER_BITS + bit for bit in range(_NUMBER_BITS) if bits >> bit & 1)

    def claim(self, fingerprint: bytes) -> float:
        """Return 0 when the caller is to have a bundle compared, else how many seconds later it may ask again."""
        with self._lock.held():
            now_ms = self._now_ms()
            if any(map(self._is_active, self._places)):
                return PAUSE_S
            since_s = (now_ms - max(place[_Number.CLAIMED_MS] for place in self._places)) / 1000
            if since_s < PAUSE_S and not self.is_empty:
                return PAUSE_S - since_s
            place = self._place(fingerprint)
            if place is None:
                place = min(self._places, key=lambda each: int(each[_Number.CLAIMED_MS]))
            self._clear(place)
            place[len(_Number) : _BITS] = memoryview(fingerprint).cast("q")
            place[_Number.CLAIMED_MS] = now_ms
            place[_Number.PHASE] = _Phase.CLAIMED
            return 0.0

    def record(self, fingerprint: bytes) -> ComparisonRecord | None:
        """Return where to write of a bundle that somebody has claimed, None where nobody has."""
        place = self._place(fingerprint)
        return None if place is None or place[_Number.PHASE] != _Phase.CLAIMED else ComparisonRecord(place)

    def abandon(self) -> None:
        """Forget what is under way: nobody goes on with it. Called by the supervisor."""
        for place in self._places:
            if place[_Number.PHASE] in (_Phase.CLAIMED, _Phase.RUNNING):
                place[_Number.PHASE] = _Phase.NONE

    def _place(self, fingerprint: bytes) -> memoryview | None:
        wanted = _FINGERPRINT.unpack(fingerprint)
        return next((place for place in self._places if tuple(place[len(_Number) : _BITS]) == wanted), None)

    def _is_active(self, place: memoryview) -> bool:
        if place[_Number.PHASE] == _Phase.CLAIMED:
            return self._now_ms() - int(place[_Number.CLAIMED_MS]) < CLAIM_S * 1000
        return bool(place[_Number.PHASE] == _Phase.RUNNING)

    def _now_ms(self) -> int:
        # never 0, which stands for nothing
        return int(self._clock() * 1000) + 1

    @staticmethod
    def _clear(place: memoryview) -> None:
        if place[_Number.WRONG]:
            for at in range(_BITS, _PLACE_NUMBERS):
                if place[at]:
                    place[at] = 0
        for number in _Number:
            place[number] = 0


def _comparison(place: memoryview) -> Comparison:
    return Comparison(
        is_over=place[_Number.PHASE] == _Phase.OVER,
        files=place[_Number.FILES],
        size=place[_Number.SIZE],
        wrong=place[_Number.WRONG],
        ended_s=place[_Number.ENDED_S],
    )
