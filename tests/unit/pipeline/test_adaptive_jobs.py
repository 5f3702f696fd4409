"""How many pieces run at once: an upstream that is a function of that number, on a clock of its own."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.model.progress import Unwatched
from bundler.net.retry import Retry
from bundler.pipeline.adaptive_jobs import (
    CONGESTION_S,
    FIRST_JOBS,
    MOST_JOBS,
    PIECES_PER_INCREASE,
    AdaptiveJobs,
    FixedJobs,
)
from bundler.pipeline.runner import Runner, Unit
from tests.fakes.progress import RecordingProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.progress import Task

MIB = 1024 * 1024


@dataclass(slots=True)
class Upstream:
    """Serves rounds of as many pieces as may run.

    Arguments:
        rate: how many pieces of 1 MiB it gives in a second to so many clients.
        refuses_above: how many clients it can bear.
    """

    rate: Callable[[int], float]
    refuses_above: int = 1000
    now_s: float = 100.0
    numbers: list[int] = field(default_factory=list)

    def serve(self, jobs: AdaptiveJobs, rounds: int) -> list[int]:
        """Return how many ran in each round."""
        for _ in range(rounds):
            count = jobs.current
            self.numbers.append(count)
            with ExitStack() as running:
                for _ in range(count):
                    running.enter_context(jobs.slot())
                self.now_s += count / self.rate(count)
                if count > self.refuses_above:
                    jobs.failed()
                    continue
                for _ in range(count):
                    jobs.moved(MIB)
        return self.numbers


def jobs_at(upstream: Upstream) -> AdaptiveJobs:
    return AdaptiveJobs(clock=lambda: upstream.now_s)


def test_an_upstream_that_gives_more_to_more_gets_the_most() -> None:
    upstream = Upstream(lambda clients: 10.0 * clients)
    assert upstream.serve(jobs_at(upstream), 5) == [FIRST_JOBS, 8, MOST_JOBS, MOST_JOBS, MOST_JOBS]


def test_an_upstream_that_is_used_up_gets_no_more() -> None:
    upstream = Upstream(lambda _: 40.0)
    # that twice as many bring nothing shows when they were tried
    assert set(upstream.serve(jobs_at(upstream), 10)[1:]) == {8}


def test_slow_pieces_are_looked_at_while_they_come() -> None:
    now_s = 0.0
    jobs = AdaptiveJobs(clock=lambda: now_s)
    with jobs.slot():
        for _ in range(2):
            now_s += 0.6
            jobs.moved(MIB)
        assert jobs.current == 2 * FIRST_JOBS


def test_after_a_refusal_fewer_run_and_never_again_as_many() -> None:
    upstream = Upstream(lambda clients: 0.5 * clients, refuses_above=6)
    numbers = upstream.serve(jobs_at(upstream), 40)
    assert numbers[:3] == [4, 8, 5]
    assert numbers.count(8) == numbers.count(7) == 1
    assert set(numbers[-20:]) == {6}


def test_it_never_falls_below_one() -> None:
    upstream = Upstream(lambda _: 1.0, refuses_above=0)
    assert upstream.serve(jobs_at(upstream), 6) == [4, 2, 1, 1, 1, 1]


def test_a_storm_of_refusals_is_one_congestion() -> None:
    now_s = 0.0
    jobs = AdaptiveJobs(8, clock=lambda: now_s)
    for _ in range(8):
        jobs.failed()
    assert jobs.current == 4
    now_s += CONGESTION_S
    jobs.failed()
    assert jobs.current == 2


def test_pieces_that_went_well_bring_one_more() -> None:
    jobs = AdaptiveJobs(8, clock=lambda: 0.0)
    jobs.failed()
    for _ in range(PIECES_PER_INCREASE):
        assert jobs.current == 4
        with jobs.slot():
            pass
    assert jobs.current == 5


@pytest.mark.parametrize(("first", "most"), [(0, 4), (5, 4)])
def test_what_is_no_range(first: int, most: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        AdaptiveJobs(first, most)


def test_no_more_than_allowed_run_and_the_results_are_in_order() -> None:
    jobs = AdaptiveJobs(3, 16, clock=lambda: 0.0)  # on a clock that stands still nothing grows
    counting, running, most = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def act(name: int, task: Task) -> int:
        nonlocal running, most
        with counting:
            running += 1
            most = max(most, running)
        together.wait(30)
        task.advance(1)
        with counting:
            running -= 1
        return name

    runner = Runner(jobs=jobs, keep_going=False, progress=RecordingProgress())
    units = [Unit(str(number), 1, number) for number in range(30)]
    assert runner.run_all(units, act) == list(range(30))
    assert most == 3


def test_a_fixed_number_stays() -> None:
    jobs = FixedJobs(7)
    jobs.failed()
    jobs.moved(MIB)
    assert jobs.most == 7


def test_a_retry_tells_of_each_failure_that_may_pass() -> None:
    failures: list[int] = []
    answers = [SourceError(ErrorId.SOURCE_BUSY, "429", where="x", remedy="Wait.", retryable=True)] * 2

    def attempt() -> str:
        if answers:
            raise answers.pop()
        return "there"

    retry = Retry(sleep=lambda _: None, failed=lambda: failures.append(1))
    assert retry.run(attempt, Unwatched()) == "there"
    assert len(failures) == 2
