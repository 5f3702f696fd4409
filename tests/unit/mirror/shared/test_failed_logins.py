"""Guesses at passwords get slower by address, and are forgotten in time."""

from __future__ import annotations

from mirror.shared.failed_logins import FIRST_DELAY_S, FORGET_S, FREE_FAILURES, MAX_DELAY_S, FailedLogins
from tests.unit.mirror.in_a_child import in_a_child


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def guess(logins: FailedLogins, clock: Clock, address: str) -> float:
    """Wait as long as it takes, guess wrong, and return how long that was."""
    began_s = clock.now_s
    while wait_s := logins.wait_s(address):
        clock.now_s += wait_s
    logins.failed(address)
    return clock.now_s - began_s


def test_the_pauses_double_up_to_a_bound_and_for_this_address_alone() -> None:
    clock = Clock()
    logins = FailedLogins(clock=clock)
    waited = [guess(logins, clock, "192.0.2.1") for _ in range(FREE_FAILURES + 6)]
    assert waited[:FREE_FAILURES] == [0] * FREE_FAILURES
    assert waited[FREE_FAILURES:] == [FIRST_DELAY_S, 2, 4, MAX_DELAY_S, MAX_DELAY_S, MAX_DELAY_S]
    assert logins.wait_s("192.0.2.2") == 0


def test_of_many_that_come_at_once_one_has_its_turn() -> None:
    clock = Clock()
    logins = FailedLogins(clock=clock)
    for _ in range(FREE_FAILURES):
        logins.failed("192.0.2.1")
    clock.now_s += FIRST_DELAY_S
    assert [logins.wait_s("192.0.2.1") == 0 for _ in range(5)] == [True, False, False, False, False]
    logins.succeeded("192.0.2.1")
    assert logins.wait_s("192.0.2.1") == 0


def test_what_is_long_ago_is_forgotten() -> None:
    clock = Clock()
    logins = FailedLogins(clock=clock)
    for _ in range(20):
        logins.failed("192.0.2.1")
    clock.now_s += FORGET_S
    assert logins.wait_s("192.0.2.1") == 0
    assert [guess(logins, clock, "192.0.2.1") for _ in range(FREE_FAILURES)] == [0] * FREE_FAILURES


def test_an_ipv6_client_is_its_network() -> None:
    logins = FailedLogins()
    for number in range(FREE_FAILURES):
        logins.failed(f"2001:db8::{number}")
    assert logins.wait_s("2001:db8::ffff%eth0") > 0
    assert logins.wait_s("2001:db8:0:1::1") == 0


def test_workers_count_together() -> None:
    logins = FailedLogins()

    def fail() -> str:
        for _ in range(FREE_FAILURES):
            logins.failed("192.0.2.1")
        return ""

    in_a_child(fail)
    assert logins.wait_s("192.0.2.1") > 0


def test_more_addresses_than_the_table_holds_push_out_the_oldest() -> None:
    clock = Clock()
    logins = FailedLogins(clock=clock)
    for number in range(20_000):
        clock.now_s += 0.001
        logins.failed(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
    for _ in range(FREE_FAILURES):
        logins.failed("192.0.2.1")
    assert logins.wait_s("192.0.2.1") > 0
