"""When a dead worker is replaced: at once, unless it never served."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from mirror.supervisor.workers import LONGEST_PAUSE_S, SHORT_LIFE_S, Crew, Member
from mirror.worker.control import Material

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def member() -> Iterator[Member]:
    with socket.socket() as listener:
        yield Member(0, "http", (listener,))


@pytest.fixture
def crew(member: Member) -> Crew:
    # nothing is forked here, so nothing of the surroundings is looked at
    around: Any = None
    return Crew(around, [member], Material(), None)


def test_one_that_served_is_replaced_at_once(crew: Crew, member: Member) -> None:
    member.begun_s, member.said = time.monotonic(), True
    assert crew.plan_successor(member) == 0.0
    assert crew.due() == [member]
    assert crew.until_due_s() == 0.0


def test_one_that_took_long_to_begin_is_replaced_at_once(crew: Crew, member: Member) -> None:
    member.begun_s = time.monotonic() - SHORT_LIFE_S - 1
    assert crew.plan_successor(member) == 0.0


def test_one_that_never_serves_is_replaced_ever_later(crew: Crew, member: Member) -> None:
    pauses = []
    for _ in range(10):
        member.begun_s, member.said = time.monotonic(), False
        pauses.append(crew.plan_successor(member))
    assert pauses == sorted(pauses)
    assert pauses[0] > 0
    assert pauses[-1] == pauses[-2] == LONGEST_PAUSE_S
    assert crew.due() == []
    waits = crew.until_due_s()
    assert waits is not None
    assert 0 < waits <= LONGEST_PAUSE_S
    member.begun_s, member.said = time.monotonic(), True
    assert crew.plan_successor(member) == 0.0


def test_nobody_is_due_while_everybody_lives(crew: Crew, member: Member) -> None:
    assert crew.until_due_s() is None
    member.pid, member.due_s = 1, 1.0
    assert crew.until_due_s() is None
    assert crew.due() == []
