"""Which worker takes a connection that several see. Without a network, on a loop that a test turns by hand."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from mirror.ftp.listening import Listeners
from mirror.shared.counters import Counters, Field, State, shared_counters
from tests.fakes.event_loop import HandEventLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOKS = 3


class Waiting(socket.socket):
    """A listening socket on which so many connections wait, after errors of the process that accepts them."""

    count = 0
    errors: tuple[int, ...] = ()

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            code, *rest = self.errors
            self.errors = tuple(rest)
            raise OSError(code, os.strerror(code))
        if not self.count:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self.count -= 1
        return socket.socket(), ("127.0.0.1", 1)


@dataclass
class Pair:
    """Two workers that see the connections of one socket."""

    listener: Waiting
    counters: Counters = field(default_factory=lambda: shared_counters(["ftp", "http", "ftp"]))
    loops: list[HandEventLoop] = field(default_factory=lambda: [HandEventLoop(), HandEventLoop()])
    listeners: list[Listeners] = field(default_factory=list)

    def __post_init__(self) -> None:
        for slot, loop in zip(self.slots, self.loops, strict=True):
            slot.set(Field.STATE, State.READY)

            def accepted(connection: socket.socket, _: Any, slot: Any = slot) -> None:
                connection.close()
                slot.add(Field.OPEN_CONNECTIONS)

            is_anothers = partial(self.counters.has_idler, slot)
            self.listeners.append(Listeners([self.listener], accepted, loop, is_anothers, LOOKS))

    @property
    def slots(self) -> list[Any]:
        return [self.counters.slots[0], self.counters.slots[2]]

    @property
    def taken(self) -> list[int]:
        return [slot.get(Field.OPEN_CONNECTIONS) for slot in self.slots]

    def wake(self, number: int) -> None:
        """Let a worker see that connections wait."""
        self.loops[number].happen(self.listener.fileno(), self.loops[number].READ)

    def looks(self, number: int) -> bool:
        return self.loops[number].events == {self.listener.fileno(): self.loops[number].READ}

    def end(self, number: int) -> None:
        """Let one of a worker's connections end."""
        self.slots[number].add(Field.OPEN_CONNECTIONS, -1)
        self.listeners[number].ended_one()


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Waiting() as listener:
        yield Pair(listener)


def test_connections_are_shared_out_one_by_one(pair: Pair) -> None:
    pair.listener.count = 4
    pair.wake(0)
    assert pair.taken == [1, 0]
    assert not pair.looks(0)
    pair.wake(1)
    assert pair.taken == [1, 2]
    pair.loops[0].wait()
    assert pair.looks(0)
    pair.wake(0)
    assert pair.taken == [2, 2]


def test_what_nobody_takes_is_taken_in_the_end(pair: Pair) -> None:
    pair.listener.count = 3
    pair.wake(0)
    for _ in range(LOOKS - 1):
        pair.loops[0].wait()
        assert pair.taken == [1, 0]
    pair.loops[0].wait()
    assert pair.taken == [2, 0]
    assert pair.looks(0)
    assert pair.loops[0].later == []


def test_who_has_one_less_looks_again_at_once(pair: Pair) -> None:
    pair.listener.count = 2
    pair.wake(0)
    pair.end(0)
    assert pair.looks(0)
    pair.wake(0)
    assert pair.taken == [1, 0]
    # what was to be called the first time does nothing
    pair.loops[0].wait()
    assert len(pair.loops[0].later) == 1


@pytest.mark.parametrize(("state", "taken"), [(State.STARTING, 5), (State.STOPPING, 5), (State.READY, 1)])
def test_nothing_is_left_to_a_worker_that_does_not_serve(pair: Pair, state: State, taken: int) -> None:
    pair.slots[1].set(Field.STATE, state)
    pair.listener.count = 5
    pair.wake(0)
    assert pair.taken == [taken, 0]


def test_what_was_left_is_not_taken_after_the_end(pair: Pair) -> None:
    pair.listener.count = 2
    pair.wake(0)
    pair.listeners[0].close()
    pair.loops[0].wait()
    pair.listeners[0].ended_one()
    assert pair.taken == [1, 0]
    assert pair.loops[0].events == {}
    assert pair.listener.fileno() >= 0


def test_without_a_descriptor_connections_wait_a_little(pair: Pair) -> None:
    pair.listener.errors = (errno.ECONNABORTED, errno.EMFILE)
    pair.wake(0)
    assert not pair.looks(0)
    assert 0 < pair.loops[0].wait() < 1
    assert pair.looks(0)
    pair.wake(0)
    assert pair.taken == [0, 0]
