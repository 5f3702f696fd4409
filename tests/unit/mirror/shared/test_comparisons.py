"""The table of comparisons: one at a time, a pause between two, what was found kept until its place is needed."""

from __future__ import annotations

import hashlib
import os

import pytest

from mirror.shared.comparisons import CLAIM_S, PAUSE_S, PLACES, Comparisons


class _Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> _Clock:
    """The clock of `comparisons`."""
    return _Clock()


@pytest.fixture
def comparisons(clock: _Clock) -> Comparisons:
    """An empty table."""
    return Comparisons(clock=clock)


def _bundle(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def _compare(comparisons: Comparisons, number: int, wrong: tuple[int, ...] = ()) -> None:
    assert comparisons.claim(_bundle(number)) == 0
    record = comparisons.record(_bundle(number))
    assert record is not None
    for file in wrong:
        record.add_wrong(file)
    record.end(7)


def test_one_at_a_time(comparisons: Comparisons, clock: _Clock) -> None:
    was_empty = comparisons.is_empty
    assert comparisons.claim(_bundle(1)) == 0
    assert (was_empty, comparisons.is_empty) == (True, False)
    record = comparisons.record(_bundle(1))
    assert record is not None
    clock.now_s = 1e6
    assert comparisons.claim(_bundle(1)) > 0
    assert comparisons.claim(_bundle(2)) > 0
    record.add_read(5)
    record.add_file()
    found = comparisons.find(_bundle(1))
    assert found is not None
    assert (found.is_over, found.files, found.size) == (False, 1, 5)
    assert record.end(1_700_000_000) == comparisons.find(_bundle(1))
    assert comparisons.claim(_bundle(2)) == 0


def test_a_pause_between_two(comparisons: Comparisons, clock: _Clock) -> None:
    _compare(comparisons, 1)
    clock.now_s = PAUSE_S / 2
    assert comparisons.claim(_bundle(2)) == pytest.approx(PAUSE_S / 2, abs=0.01)
    clock.now_s = PAUSE_S
    assert comparisons.claim(_bundle(2)) == 0


def test_a_claim_that_nobody_follows_is_given_up(comparisons: Comparisons, clock: _Clock) -> None:
    comparisons.claim(_bundle(1))
    assert comparisons.find(_bundle(1)) is not None
    clock.now_s = CLAIM_S
    assert comparisons.find(_bundle(1)) is None
    assert comparisons.claim(_bundle(2)) == 0


def test_what_was_not_ended_counts_for_nothing_but_what_it_found(comparisons: Comparisons, clock: _Clock) -> None:
    comparisons.claim(_bundle(1))
    record = comparisons.record(_bundle(1))
    assert record is not None
    record.add_wrong(3)
    comparisons.abandon()
    assert comparisons.find(_bundle(1)) is None
    assert list(comparisons.wrong_files(_bundle(1))) == [3]
    clock.now_s = PAUSE_S
    assert comparisons.claim(_bundle(1)) == 0
    assert list(comparisons.wrong_files(_bundle(1))) == []


def test_nobody_records_what_nobody_has_claimed(comparisons: Comparisons) -> None:
    assert comparisons.record(_bundle(1)) is None
    _compare(comparisons, 1)
    assert comparisons.record(_bundle(1)) is None


def test_every_number_of_a_file_is_kept(comparisons: Comparisons) -> None:
    numbers = (0, 62, 63, 64, 127, 1_000_000, 2_000_000)
    _compare(comparisons, 1, numbers)
    assert tuple(comparisons.wrong_files(_bundle(1))) == numbers
    assert comparisons.wrong_count(_bundle(1)) == len(numbers)
    assert comparisons.wrong_count(_bundle(2)) == 0


def test_the_oldest_makes_room(comparisons: Comparisons, clock: _Clock) -> None:
    for number in range(PLACES + 1):
        clock.now_s = number * PAUSE_S
        _compare(comparisons, number, (number,))
    assert comparisons.find(_bundle(0)) is None
    assert all(comparisons.find(_bundle(number)) for number in range(1, PLACES + 1))
    assert list(comparisons.wrong_files(_bundle(PLACES))) == [PLACES]


def test_other_processes_see_it(comparisons: Comparisons) -> None:
    comparisons.claim(_bundle(1))
    if (pid := os.fork()) == 0:
        record = comparisons.record(_bundle(1))
        if record is not None:
            record.add_wrong(9)
            record.end(1)
        os._exit(0)
    os.waitpid(pid, 0)
    assert list(comparisons.wrong_files(_bundle(1))) == [9]
