from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.shared.addresses import AddressTable
from tests.unit.mirror.in_a_child import in_a_child

ENTRIES = 8
WORKERS = 2


def test_the_limit_holds_over_all_workers() -> None:
    table = AddressTable(WORKERS, 3)
    assert [table.admit(worker, "10.0.0.1") for worker in (0, 1, 0, 1, 0)] == [True, True, True, False, False]
    assert table.admit(1, "10.0.0.2")
    table.leave(1, "10.0.0.1")
    assert table.admit(0, "10.0.0.1")
    assert not table.admit(1, "10.0.0.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("::1", "0.0.0.1", False),
        ("127.0.0.1", "::1", False),
        ("", "not an address", True),
        ("10.0.0.1", "", False),
    ],
)
def test_one_address_has_one_count_however_it_is_written(one: str, other: str, *, same: bool) -> None:
    table = AddressTable(1, 1)
    assert table.admit(0, one)
    assert table.admit(0, other) is not same


def test_a_dead_workers_connections_are_forgotten_and_no_others() -> None:
    table = AddressTable(WORKERS, 2)
    assert table.admit(0, "10.0.0.1")
    assert table.admit(1, "10.0.0.1")
    table.worker_ended(0)
    assert table.admit(1, "10.0.0.1")
    assert not table.admit(0, "10.0.0.1")


def test_leaving_without_having_come_gives_nobody_more() -> None:
    table = AddressTable(1, 1)
    table.leave(0, "10.0.0.1")
    assert table.admit(0, "10.0.0.1")
    assert not table.admit(0, "10.0.0.1")


def test_a_full_table_refuses_nobody_and_counts_again_when_there_is_room() -> None:
    table = AddressTable(1, 1, entries=2)
    for host in range(5):
        assert table.admit(0, f"10.0.0.{host}")
    assert [table.admit(0, f"10.0.0.{host}") for host in range(5)] == [False, False, True, True, True]
    table.leave(0, "10.0.0.4")
    table.leave(0, "10.0.0.0")
    assert table.admit(0, "10.0.0.4")
    assert not table.admit(0, "10.0.0.4")


def test_addresses_that_came_and_went_leave_nothing_behind() -> None:
    table = AddressTable(1, 1, entries=64)
    for host in range(1000):
        assert table.admit(0, f"2001:db8::{host:x}")
        table.leave(0, f"2001:db8::{host:x}")
    assert bytes(table._pages[0]) == bytes(len(table._pages[0]))


def test_children_of_a_fork_count_in_one_table() -> None:
    table = AddressTable(WORKERS, 2)

    def comes() -> str:
        return str(table.admit(1, "10.0.0.1"))

    assert [in_a_child(comes) for _ in range(3)] == ["True", "True", "False"]
    assert not table.admit(0, "10.0.0.1")


HOSTS = [f"10.0.{host}.1" for host in range(2 * ENTRIES)]
STEPS = st.lists(st.tuples(st.sampled_from(("come", "go", "end")), st.integers(0, WORKERS - 1), st.sampled_from(HOSTS)))


@given(STEPS)
def test_a_table_counts_as_a_dictionary_does(steps: list[tuple[str, int, str]]) -> None:
    limit = 3
    table = AddressTable(WORKERS, limit, entries=ENTRIES)
    expected: list[Counter[str]] = [Counter() for _ in range(WORKERS)]
    for step, worker, host in steps:
        counts = expected[worker]
        if step == "come":
            admitted = sum(each[host] for each in expected) < limit
            assert table.admit(worker, host) is admitted
            if admitted and (counts[host] or sum(1 for count in counts.values() if count) < ENTRIES):
                counts[host] += 1
        elif step == "go":
            table.leave(worker, host)
            counts[host] = max(0, counts[host] - 1)
        else:
            table.worker_ended(worker)
            counts.clear()
    for worker in range(WORKERS):
        for host in HOSTS:
            assert table._count(table._pages[worker], _key(host)) == expected[worker][host]


def _key(host: str) -> bytes:
    return bytes(10) + b"\xff\xff" + bytes(int(part) for part in host.split("."))
