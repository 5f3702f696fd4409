from __future__ import annotations

import os
import signal
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.shared.bandwidth import MIN_GRANT_BYTES, Bandwidth
from tests.unit.mirror.in_a_child import in_a_child

RATE = 1_000_000
BURST = RATE // 4


@dataclass
class Clock:
    """Time that passes when the test says so."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_holds_over_many_takes_that_wait_as_told() -> None:
    clock = Clock()
    budget = Bandwidth(RATE, clock=clock)
    sent = 0
    while clock.now < 110:
        granted, wait_s = budget.take(64 * 1024)
        assert (granted == 0) == (wait_s > 0)
        sent += granted
        # a clock in steps of a microsecond, as a loop would wake up
        clock.now += wait_s + 1e-6
    assert sent == pytest.approx(10 * RATE, rel=0.01)


def test_nothing_is_granted_before_time_has_passed_and_a_pause_saves_a_burst_only() -> None:
    clock = Clock()
    budget = Bandwidth(RATE, clock=clock)
    assert budget.take(10**9) == (0, MIN_GRANT_BYTES / RATE)
    clock.now += 3600
    assert budget.take(10**9) == (BURST, 0.0)
    assert budget.take(10**9)[0] == 0


def test_little_is_granted_whole_and_nothing_costs_nothing() -> None:
    clock = Clock()
    budget = Bandwidth(RATE, clock=clock)
    clock.now += 0.0001
    assert budget.take(0) == (0, 0.0)
    assert budget.take(-5) == (0, 0.0)
    assert budget.take(100) == (100, 0.0)
    granted, wait_s = budget.take(100)
    assert granted == 0
    assert wait_s == pytest.approx(100 / RATE)


def test_what_could_not_be_sent_is_given_to_the_next() -> None:
    clock = Clock()
    budget = Bandwidth(RATE, clock=clock)
    clock.now += 1
    assert budget.take(BURST)[0] == BURST
    budget.give_back(50_000)
    assert budget.take(BURST) == (50_000, 0.0)
    budget.give_back(10 * BURST)
    assert budget.take(10 * BURST) == (BURST, 0.0)


def test_a_rate_below_the_least_grant_still_moves() -> None:
    clock = Clock()
    budget = Bandwidth(1, clock=clock)
    granted, wait_s = budget.take(5000)
    assert granted == 0
    clock.now += wait_s
    assert budget.take(5000)[0] == MIN_GRANT_BYTES


@given(st.lists(st.tuples(st.integers(0, 300_000), st.floats(0, 1), st.booleans()), max_size=60))
def test_grants_are_never_negative_nor_beyond_rate_and_burst(steps: list[tuple[int, float, bool]]) -> None:
    clock = Clock()
    budget = Bandwidth(RATE, clock=clock)
    sent = 0
    for wanted, pause_s, give_back in steps:
        clock.now += pause_s
        granted, wait_s = budget.take(wanted)
        assert 0 <= granted <= wanted
        assert granted == 0 or granted >= min(wanted, MIN_GRANT_BYTES)
        assert wait_s >= 0
        if give_back:
            budget.give_back(granted // 2)
            granted -= granted // 2
        sent += granted
    # what was saved while nobody asked is a burst at most
    assert sent <= (clock.now - 100) * RATE + 1


def test_processes_share_one_budget() -> None:
    clock = Clock()
    budget = Bandwidth(RATE, clock=clock)
    clock.now += 1

    def takes() -> str:
        return str(budget.take(BURST // 2)[0])

    assert [in_a_child(takes) for _ in range(3)] == [str(BURST // 2), str(BURST // 2), "0"]
    assert budget.take(BURST)[0] == 0


def test_a_killed_holder_of_the_lock_blocks_nobody() -> None:
    clock = Clock()
    budget = Bandwidth(RATE, clock=clock)
    clock.now += 1
    ready_end, told_end = os.pipe()
    child = os.fork()
    if not child:
        with budget._lock.held():
            os.write(told_end, b"!")
            signal.pause()
        os._exit(0)
    assert os.read(ready_end, 1) == b"!"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert budget.take(BURST)[0] == BURST
    os.close(ready_end)
    os.close(told_end)
