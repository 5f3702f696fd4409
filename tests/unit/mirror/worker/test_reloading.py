"""Reloads of a worker: what another process has packed, and what is said of it."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
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
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.worker.serving import Serving


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
        settings = Settings(root.path)
        loader = Loader(root, (), settings)
        counters = shared_counters(["http"])
        yield Worker(
            0, (stack.enter_context(socket.socket()),), settings, counters, counters.slots[0], None,
            AddressTable(1, 1), channel[1], loader, loader.load(KeyFiles(), 1), AccessLog(None, "combined"),
        )  # fmt: skip


def reload(worker: Worker, generation: int) -> Message:
    """Return what the supervisor sends, and what a worker receives."""
    return Message("reload", generation=generation, key_files=KeyFiles(), descriptor=worker.loader.pack(KeyFiles()))


def test_what_came_is_taken_over_and_its_descriptor_closed(
    worker: Worker, channel: tuple[ControlChannel, ControlChannel]
) -> None:
    message = reload(worker, 2)
    Reloads(worker, worker.take_over).handle(message)
    assert worker.serving.generation == 2
    (answer,) = channel[0].receive()
    assert (answer.word, answer.generation) == ("reloaded", 2)
    assert answer.text.startswith("demo 2025.03, bundle ")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(message.descriptor or -1)


@pytest.mark.parametrize("error", [ServeError(ErrorId.SERVE_TLS_INVALID, "no", where="pem", remedy="Mend."), OSError()])
def test_what_cannot_be_taken_over_is_told_and_the_next_one_can(
    worker: Worker, channel: tuple[ControlChannel, ControlChannel], error: Exception
) -> None:
    errors = [error]

    def take_over(_: Serving) -> None:
        while errors:
            raise errors.pop()

    reloads = Reloads(worker, take_over)
    for generation in (2, 3):
        reloads.handle(reload(worker, generation))
    assert [answer.word for answer in channel[0].receive()] == ["failed", "reloaded"]


def test_a_reload_reads_no_file_of_the_bundle(worker: Worker, tmp_path: Path) -> None:
    message = reload(worker, 2)
    (tmp_path / "bundle.json").unlink()
    Reloads(worker, worker.take_over).handle(message)
    assert worker.serving.generation == 2


def test_a_message_without_a_packed_site_changes_nothing(
    worker: Worker, channel: tuple[ControlChannel, ControlChannel]
) -> None:
    Reloads(worker, worker.take_over).handle(Message("reload", generation=2))
    (answer,) = channel[0].receive()
    assert (answer.word, answer.generation) == ("failed", 2)
    assert worker.serving.generation == 1
