"""A few pieces of work at once: results in order, the first failure raised, nothing begun after it."""

from __future__ import annotations

import threading

import pytest

from bundler.kinds.rpm_downloads import in_parallel


def test_results_come_in_the_order_of_the_works_whatever_ends_first() -> None:
    second_is_done = threading.Event()

    def act(number: int) -> int:
        if number == 1:
            assert second_is_done.wait(30)
        if number == 2:
            second_is_done.set()
        return number * 10

    assert in_parallel([1, 2, 3], act, workers=2) == [10, 20, 30]
    assert in_parallel([], act) == []


def test_several_run_at_once() -> None:
    together = threading.Barrier(3)
    assert in_parallel(range(3), lambda number: together.wait(30) >= 0 and number, workers=3) == [0, 1, 2]


def test_a_failure_is_raised_and_nothing_is_begun_after_it() -> None:
    begun = []

    def act(number: int) -> None:
        begun.append(number)
        raise LookupError(number)

    with pytest.raises(LookupError):
        in_parallel(range(100), act, workers=1)
    assert begun == [0]
