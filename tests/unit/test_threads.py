"""Pieces of work on a few threads: results by index, what ends a run, nothing begun after that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bundler.threads import attempt_each

if TYPE_CHECKING:
    from collections.abc import Callable

    Over = Callable[[], bool]


def test_results_are_by_index_whatever_ends_first() -> None:
    second_is_done = threading.Event()

    def act(number: int, _: Over) -> int:
        if number == 0:
            assert second_is_done.wait(30)
        if number == 1:
            second_is_done.set()
        return number * 10

    assert attempt_each(3, act, threads=2).results == {0: 0, 1: 10, 2: 20}
    assert attempt_each(0, act, threads=2).results == {}


def test_several_run_at_once() -> None:
    together = threading.Barrier(3)
    outcome = attempt_each(3, lambda number, _: together.wait(30) >= 0 and number, threads=3)
    assert (outcome.results, outcome.failure) == ({0: 0, 1: 1, 2: 2}, None)


def test_a_failure_is_raised_and_nothing_is_begun_after_it() -> None:
    begun = []

    def act(number: int, _: Over) -> None:
        begun.append(number)
        raise LookupError(number)

    with pytest.raises(LookupError):
        attempt_each(100, act, threads=1)
    assert begun == [0]


def test_the_rest_is_done_after_a_failure_that_it_may_go_on_after() -> None:
    def act(number: int, _: Over) -> int:
        if number in (1, 3):
            raise LookupError(number)
        return number

    outcome = attempt_each(5, act, threads=2, goes_on=lambda error: isinstance(error, LookupError))
    assert sorted(outcome.results) == [0, 2, 4]
    assert sorted(outcome.failures) == [1, 3]
    assert str(outcome.failure) == "1"


def test_a_piece_that_is_cut_short_by_another_ones_failure_does_not_hide_it() -> None:
    class Cut(BaseException):
        pass

    first_runs = threading.Event()

    def act(number: int, over: Over) -> None:
        if number == 0:
            first_runs.set()
            while not over():
                pass
            raise Cut
        assert first_runs.wait(30)
        raise LookupError(number)

    for _ in range(50):
        first_runs.clear()
        with pytest.raises(LookupError):
            attempt_each(2, act, threads=2)


@pytest.mark.parametrize("threads", [1, 4])
def test_even_an_exit_within_a_thread_reaches_the_caller(threads: int) -> None:
    def act(_: int, __: Over) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        attempt_each(4, act, threads=threads, goes_on=lambda _: True)
