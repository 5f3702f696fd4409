"""Reloads in an event loop that is this test: what is watched is called by hand."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.settings import Settings
from mirror.shared.addresses import AddressTable
from mirror.shared.counters import shared_counters
from mirror.worker.access_log import AccessLog
from mirror.worker.control import ControlChannel, KeyFiles, Message, control_pair
from mirror.worker.reloading import Reloads
from mirror.worker.serving import Loader
from mirror.worker.worker import Worker
from tests.unit.mirror.bundle_tree import opened, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mirror.worker.serving import Serving


class Hand:
    """Watches nothing until it is told to."""

    def __init__(self) -> None:
        self.watched: dict[int, Callable[[], None]] = {}

    def watch(self, fileno: int, call: Callable[[], None]) -> Callable[[], object]:
        self.watched[fileno] = call
        return lambda: self.watched.pop(fileno)

    def turn(self) -> None:
        """Wait for one reload, and let it be taken over."""
        ((fileno, call),) = self.watched.items()
        assert select.select([fileno], [], [], 30)[0]
        call()


@pytest.fixture
def channel() -> Iterator[tuple[ControlChannel, ControlChannel]]:
    ends = control_pair()
    yield ends
    for end in ends:
        end.close()


@pytest.fixture
def worker(tmp_path: Path, channel: tuple[ControlChannel, ControlChannel]) -> Iterator[Worker]:
    with ExitStack() as stack:
        root = stack.enter_context(opened(write_bundle(tmp_path)))
        settings = Settings(Path(root.name))
        loader = Loader(root, (), settings)
        counters = shared_counters(["http"])
        yield Worker(
            0, (stack.enter_context(socket.socket()),), settings, counters, counters.slots[0], None,
            AddressTable(1, 1), channel[1], loader, loader.load(KeyFiles(), 1), AccessLog(None, "combined"),
        )  # fmt: skip


def reload(generation: int) -> Message:
    return Message("reload", generation=generation, key_files=KeyFiles())


def test_of_those_that_come_meanwhile_only_the_newest_is_done(
    worker: Worker, channel: tuple[ControlChannel, ControlChannel]
) -> None:
    hand, taken = Hand(), list[int]()

    def take_over(serving: Serving) -> None:
        taken.append(serving.generation)

    reloads = Reloads(worker, hand.watch, take_over)
    for generation in range(2, 6):
        reloads.handle(reload(generation))
    hand.turn()
    hand.turn()
    assert taken == [2, 5]
    assert not hand.watched
    answers = channel[0].receive()
    assert [(answer.word, answer.generation) for answer in answers] == [("reloaded", 2), ("reloaded", 5)]
    assert answers[-1].text.startswith("demo 2025.03, bundle ")


@pytest.mark.parametrize("error", [ServeError(ErrorId.SERVE_TLS_INVALID, "no", where="pem", remedy="Mend."), OSError()])
def test_what_cannot_be_taken_over_is_told_and_the_next_one_can(
    worker: Worker, channel: tuple[ControlChannel, ControlChannel], error: Exception
) -> None:
    hand, errors = Hand(), [error]

    def take_over(_: Serving) -> None:
        while errors:
            raise errors.pop()

    reloads = Reloads(worker, hand.watch, take_over)
    for generation in (2, 3):
        reloads.handle(reload(generation))
        hand.turn()
    assert [answer.word for answer in channel[0].receive()] == ["failed", "reloaded"]


def test_a_reload_that_cannot_even_begin_is_told(
    worker: Worker, channel: tuple[ControlChannel, ControlChannel]
) -> None:
    hand = Hand()

    def full(_: int, __: Callable[[], None]) -> Callable[[], object]:
        raise OSError(24, "Too many open files")

    Reloads(worker, full, lambda _: None).handle(reload(2))
    (answer,) = channel[0].receive()
    assert (answer.word, answer.generation) == ("failed", 2)
    assert "Too many open files" in answer.text
    Reloads(worker, hand.watch, worker.take_over).handle(reload(3))
    hand.turn()
    assert worker.serving.generation == 3
