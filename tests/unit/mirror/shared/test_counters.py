from __future__ import annotations

from functools import partial

import pytest

from mirror.shared.counters import LAST_BUNDLE_BIT, MAX_NAMED_FAULTS, PROTOCOLS, STATUSES, Field, State, shared_counters
from tests.unit.mirror.in_a_child import in_a_child


def test_children_of_a_fork_count_in_their_slots_and_anyone_reads_the_sums() -> None:
    counters = shared_counters(("http", "ftp", "http"))

    def counts(number: int) -> str:
        slot = counters.slots[number]
        slot.set(Field.STATE, State.READY)
        for _ in range(1000):
            slot.add(Field.CONNECTIONS)
            slot.answered(200 if slot.protocol == "http" else 226, 10)
        slot.add(Field.OPEN_CONNECTIONS, number + 1)
        return "done"

    for number in range(3):
        assert not counters.ready()
        assert in_a_child(partial(counts, number)) == "done"
    assert counters.ready()
    assert counters.total("http", Field.CONNECTIONS) == 2000
    assert counters.total("http", Field.SENT_BYTES) == 20_000
    assert counters.total("http", Field.OPEN_CONNECTIONS) == 4
    assert counters.total("ftp", Field.CONNECTIONS) == 1000
    assert {status: count for status, count in counters.answers("http").items() if count} == {200: 2000}
    assert {status: count for status, count in counters.answers("ftp").items() if count} == {226: 1000}
    assert counters.workers("http") == (2, 2)
    assert counters.workers("ftp") == (1, 1)


def test_a_dead_workers_sums_stay_and_what_was_true_of_it_goes() -> None:
    counters = shared_counters(("http", "http"))
    for slot in counters.slots:
        for field in Field:
            slot.set(field, 7)
        slot.set(Field.STATE, State.READY)
        slot.answered(404, 3)
    before = counters.answers("http")
    counters.slots[0].worker_ended()
    assert {field: counters.slots[0].get(field) for field in Field} == {
        Field.STATE: State.ABSENT,
        Field.OPEN_CONNECTIONS: 0,
        Field.FAULTS: 0,
        Field.CONNECTIONS: 7,
        Field.REFUSED_CONNECTIONS: 7,
        Field.LOST_LOG_LINES: 7,
        Field.SENT_BYTES: 10,
        Field.CUT_TRANSFERS: 7,
        Field.RESTARTS: 8,
        Field.GENERATION: 0,
        Field.FAULTY_BUNDLES: 0,
        Field.SUCCESSOR_FAILED: 7,
    }
    assert counters.answers("http") == before
    assert not counters.ready()
    assert counters.workers("http") == (2, 1)
    assert counters.slots[1].get(Field.RESTARTS) == 7


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_status_has_a_number_of_its_own_and_others_share_one(protocol: str) -> None:
    counters = shared_counters((protocol, protocol))
    first, second = counters.slots
    for count, status in enumerate(STATUSES[protocol], start=1):
        for _ in range(count):
            first.answered(status)
    assert first.answers() == {status: count for count, status in enumerate(STATUSES[protocol], start=1)}
    assert set(second.answers().values()) == {0}
    for odd in (-1, 999, 418, 2**70):
        second.answered(odd)
    assert second.answers()[0] == 4
    assert all(first.get(field) == 0 for field in Field)


def test_a_moments_number_that_is_wrong_by_one_stops_nobody() -> None:
    slot = shared_counters(("ftp",)).slots[0]
    slot.add(Field.OPEN_CONNECTIONS, -1)
    assert slot.get(Field.OPEN_CONNECTIONS) == -1
    slot.add(Field.OPEN_CONNECTIONS)
    assert slot.get(Field.OPEN_CONNECTIONS) == 0


def test_faults_are_shown_to_all_as_many_as_there_is_room_for_and_go_with_their_worker() -> None:
    counters = shared_counters(("http", "ftp"))
    slot, other = counters.slots
    slot.set_faults(3, [0, 2, 500], [7, 0, 2**32 + 1])
    other.set_faults(1000, [0], range(1000))
    assert (slot.get(Field.FAULTS), slot.faults()) == (3, [7, 0, 2**32 + 1])
    assert slot.get(Field.FAULTY_BUNDLES) == 0b101 | 1 << LAST_BUNDLE_BIT
    assert other.faults() == list(range(MAX_NAMED_FAULTS))
    slot.set_faults(1, [1], [9])
    assert (slot.faults(), slot.get(Field.FAULTY_BUNDLES)) == ([9], 0b10)
    slot.worker_ended()
    assert (slot.faults(), slot.get(Field.FAULTS), slot.get(Field.FAULTY_BUNDLES)) == ([], 0, 0)
