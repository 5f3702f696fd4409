"""What the workers have done, summed over all of them: every worker writes its own slot, anyone may read all.

A slot outlives its worker, and its successor goes on counting in it: sums never go backwards.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

PROTOCOLS = ("http", "ftp")
# the answers that have a number of their own; everything else is counted under 0, shown as "other"
STATUSES: dict[str, tuple[int, ...]] = {
    "http": (
        200,
        206,
        301,
        303,
        304,
        400,
        401,
        403,
        404,
        405,
        408,
        412,
        413,
        414,
        416,
        417,
        429,
        431,
        500,
        501,
        503,
        505,
        0,
    ),
    "ftp": (226, 230, 250, 421, 425, 426, 450, 500, 501, 530, 550, 0),
}
_MAX_STATUSES = max(len(codes) for codes in STATUSES.values())


class State(IntEnum):
    """How far a worker is."""

    ABSENT = 0
    STARTING = 1
    READY = 2
    STOPPING = 3


class Field(IntEnum):
    """Numbers of one slot; the answers by status and the faults follow behind them.

    FAULTY_BUNDLES has a bit for each bundle by its number, the last one for all from there on. SUCCESSOR_FAILED is the
    supervisor's own, in the first slot.
    """

    STATE = 0
    OPEN_CONNECTIONS = 1
    FAULTS = 2
    CONNECTIONS = 3
    REFUSED_CONNECTIONS = 4
    SENT_BYTES = 5
    CUT_TRANSFERS = 6
    RESTARTS = 7
    GENERATION = 8
    LOST_LOG_LINES = 9
    FAULTY_BUNDLES = 10
    SUCCESSOR_FAILED = 11


# how many of its faulty files a worker names to the others; the page of health names no more
MAX_NAMED_FAULTS = 100

# what is true of a worker only while it lives
_GAUGES = (Field.STATE, Field.OPEN_CONNECTIONS, Field.FAULTS, Field.GENERATION, Field.FAULTY_BUNDLES)
_FIRST_FAULT = len(Field) + _MAX_STATUSES
_SLOT_NUMBERS = _FIRST_FAULT + MAX_NAMED_FAULTS
_NUMBER_BYTES = 8
# of a signed number of 64 bits
LAST_BUNDLE_BIT = 62


class Slot:
    """One worker's numbers; written by that worker's main thread alone."""

    __slots__ = ("_index", "_numbers", "protocol")

    def __init__(self, protocol: str, numbers: memoryview) -> None:
        self.protocol = protocol
        self._numbers = numbers
        self._index = {status: len(Field) + place for place, status in enumerate(STATUSES[protocol])}

    def add(self, field: Field, count: int = 1) -> None:
        """Add to a number; negative only for what is true of the moment."""
        self._numbers[field] += count

    def set(self, field: Field, value: int) -> None:
        """Set what is true of the moment."""
        self._numbers[field] = value

    def answered(self, status: int, sent_bytes: int = 0) -> None:
        """Count an answer (an HTTP status, or the reply code that ended an FTP command) and its content's bytes."""
        self._numbers[self._index.get(status, self._index[0])] += 1
        self._numbers[Field.SENT_BYTES] += sent_bytes

    def get(self, field: Field) -> int:
        """Return a number."""
        return int(self._numbers[field])

    def answers(self) -> dict[int, int]:
        """Return status -> how many; 0 stands for every other."""
        return {status: int(self._numbers[place]) for status, place in self._index.items()}

    def set_faults(self, count: int, bundles: Collection[int], files: Sequence[int]) -> None:
        """Show which files cannot be served.

        Arguments:
            count: how many there are.
            bundles: the numbers of the bundles that they are in.
            files: some of them, as numbers from 0 that are the same in all workers of a generation.
        """
        named = files[:MAX_NAMED_FAULTS]
        for place, number in enumerate(named, start=_FIRST_FAULT):
            self._numbers[place] = number + 1
        for place in range(_FIRST_FAULT + len(named), _SLOT_NUMBERS):
            self._numbers[place] = 0
        mask = 0
        for bundle in bundles:
            mask |= 1 << min(bundle, LAST_BUNDLE_BIT)
        self._numbers[Field.FAULTY_BUNDLES] = mask
        self._numbers[Field.FAULTS] = count

    def faults(self) -> list[int]:
        """Return the numbers of files that `set_faults` showed, as many as there is room for."""
        return [number - 1 for number in self._numbers[_FIRST_FAULT:_SLOT_NUMBERS] if number]

    def worker_ended(self) -> None:
        """Forget what was true only while the worker lived. Called by the supervisor."""
        for field in _GAUGES:
            self._numbers[field] = 0
        self.set_faults(0, (), ())
        self._numbers[Field.RESTARTS] += 1


@dataclass(frozen=True, slots=True)
class Counters:
    """The shared page: one slot per worker, in the order in which the supervisor numbers them."""

    slots: tuple[Slot, ...]

    def ready(self) -> bool:
        """Tell whether every worker serves."""
        return all(slot.get(Field.STATE) == State.READY for slot in self.slots)

    def total(self, protocol: str, field: Field) -> int:
        """Return the sum over all workers of a protocol."""
        return sum(slot.get(field) for slot in self.slots if slot.protocol == protocol)

    def answers(self, protocol: str) -> dict[int, int]:
        """Return status -> how many, over all workers of a protocol."""
        sums: dict[int, int] = {}
        for slot in self.slots:
            if slot.protocol == protocol:
                for status, count in slot.answers().items():
                    sums[status] = sums.get(status, 0) + count
        return sums

    def has_idler(self, own: Slot) -> bool:
        """Tell whether another worker of the same protocol serves, and has fewer open connections."""
        count = own.get(Field.OPEN_CONNECTIONS)
        return any(
            slot.get(Field.OPEN_CONNECTIONS) < count and slot.get(Field.STATE) == State.READY
            for slot in self.slots
            if slot.protocol == own.protocol and slot is not own
        )

    def workers(self, protocol: str) -> tuple[int, int]:
        """Return how many workers of a protocol there are to be, and how many of them serve."""
        states = [slot.get(Field.STATE) for slot in self.slots if slot.protocol == protocol]
        return len(states), sum(state == State.READY for state in states)


def shared_counters(protocols: Sequence[str]) -> Counters:
    """Map a page for workers of these protocols, all numbers 0; to be called before the workers are forked."""
    # signed: a number that is wrong by one must not stop a worker
    numbers = memoryview(mmap.mmap(-1, max(1, len(protocols)) * _SLOT_NUMBERS * _NUMBER_BYTES)).cast("q")
    return Counters(
        tuple(
            Slot(protocol, numbers[number * _SLOT_NUMBERS : (number + 1) * _SLOT_NUMBERS])
            for number, protocol in enumerate(protocols)
        )
    )
