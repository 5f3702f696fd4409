"""Sessions stay fewer than there are ports, and no address holds all ports."""

from __future__ import annotations

import pytest

from mirror.shared.ftp_shares import FtpShares


def test_sessions_of_all_workers_stay_below_the_number_of_ports() -> None:
    shares = FtpShares.of(2, (3000, 3003))
    assert [shares.admit_session(number % 2) for number in range(5)] == [True, True, True, False, False]
    shares.end_session(1)
    assert shares.admit_session(0)
    assert not shares.admit_session(1)
    shares.worker_ended(0)
    assert [shares.admit_session(1) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(("ports", "share"), [((1, 1), 2), ((1, 4), 2), ((1, 16), 4), ((21100, 21299), 50)])
def test_an_address_may_hold_a_quarter_of_the_ports_and_two_at_least(ports: tuple[int, int], share: int) -> None:
    shares = FtpShares.of(2, ports)
    assert [shares.ports.admit(number % 2, "192.0.2.1") for number in range(share)] == [True] * share
    assert not shares.ports.admit(0, "192.0.2.1")
    assert shares.ports.admit(0, "192.0.2.2")


def test_a_range_of_one_port_serves_one() -> None:
    shares = FtpShares.of(1, (3000, 3000))
    assert shares.admit_session(0)
    assert not shares.admit_session(0)
