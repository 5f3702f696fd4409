"""The FTP worker in this process: its supervisor's messages are sent by hand, before it runs or from its own loop."""

from __future__ import annotations

import gc
import logging
import os
import select
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.ftp.limits import Limits
from mirror.ftp.worker import FtpWorker, run
from mirror.settings import TlsFiles
from mirror.shared.counters import Field, State
from mirror.worker.control import KeyFiles, Message
from tests.fakes.certificates import authority
from tests.unit.mirror.bundle_tree import packed, write_bundle
from tests.unit.mirror.ftp.in_process import worker_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirror.worker.control import ControlChannel
    from mirror.worker.worker import Worker

WITHIN_S = 30
Ends = tuple["Worker", "ControlChannel"]


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    """Undo what a worker does to its process."""
    yield
    gc.unfreeze()
    log = logging.getLogger("pyftpdlib")
    log.handlers.clear()
    log.propagate = True
    log.setLevel(logging.NOTSET)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "root", {"small": b"small"})


@pytest.fixture
def ends(root: Path) -> Iterator[Ends]:
    with worker_on(root) as ends:
        yield ends


def messages(line: ControlChannel, *words: str) -> list[Message]:
    """Return the next messages of a worker that runs in a thread; they have to have these words."""
    received: list[Message] = []
    while len(received) < len(words):
        assert select.select([line], [], [], WITHIN_S)[0]
        received += line.receive()
        assert not line.closed
    assert [message.word for message in received] == list(words)
    return received


class Threaded:
    """A worker that runs in a thread until the block's end."""

    def __init__(self, worker: Worker, line: ControlChannel) -> None:
        self.ends = worker, line
        self.thread = threading.Thread(target=FtpWorker(worker, Limits()).run, daemon=True)

    def __enter__(self) -> Ends:
        self.thread.start()
        return self.ends

    def __exit__(self, *_: object) -> None:
        self.ends[1].send(Message("stop"))
        self.thread.join(WITHIN_S)
        assert not self.thread.is_alive()


def test_a_worker_that_is_stopped_at_once_was_ready_before(ends: Ends) -> None:
    worker, line = ends
    line.send(Message("stop"))
    run(worker)
    (ready,) = messages(line, "ready")
    assert "bundle" in ready.text
    assert worker.slot.get(Field.STATE) == State.STOPPING


def test_without_a_supervisor_it_stops(ends: Ends) -> None:
    worker, line = ends
    line.close()
    run(worker, Limits())
    assert worker.slot.get(Field.STATE) == State.STOPPING


def test_a_client_that_stays_is_waited_for_as_long_as_the_grace(root: Path) -> None:
    with worker_on(root, grace_s=0) as (worker, line), socket.socket() as client:
        client.connect(worker.listeners[0].getsockname())
        line.send(Message("stop"))
        run(worker)
        assert worker.slot.get(Field.OPEN_CONNECTIONS) == 0


def test_it_serves_and_takes_over_what_is_reloaded(ends: Ends, root: Path) -> None:
    worker, line = ends
    with Threaded(worker, line):
        messages(line, "ready")
        with socket.create_connection(worker.listeners[0].getsockname(), WITHIN_S) as client:
            assert client.recv(100) == b"220 Ready.\r\n"
        with packed(root) as descriptor:
            line.send(Message("reload", key_files=KeyFiles(), generation=2, descriptor=descriptor))
        (reloaded,) = messages(line, "reloaded")
        assert reloaded.generation == 2
        line.send(Message("reload", key_files=KeyFiles(), generation=3))
        (failed,) = messages(line, "failed")
        assert failed.generation == 3
    assert worker.slot.get(Field.GENERATION) == 2


def test_the_log_goes_on_in_another_file(ends: Ends, tmp_path: Path) -> None:
    worker, line = ends
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT, 0o600)
    line.send(Message("reopen-log", descriptor=descriptor))
    os.close(descriptor)
    # words that go up mean nothing down here
    line.send(Message("ready"))
    line.send(Message("stop"))
    run(worker)
    assert worker.log._descriptor is not None
    assert Path(f"/proc/self/fd/{worker.log._descriptor}").readlink() == tmp_path / "log"
    os.close(worker.log._descriptor)


def test_a_certificate_is_offered_and_a_broken_one_refused(root: Path, tmp_path: Path) -> None:
    pem = authority(tmp_path).server_file("127.0.0.1")
    key_files = KeyFiles(certificate=pem.read_bytes(), key=pem.read_bytes())
    with worker_on(root, key_files, tls=TlsFiles(pem, pem)) as (worker, line):
        with Threaded(worker, line):
            messages(line, "ready")
            address = worker.listeners[0].getsockname()
            with socket.create_connection(address, WITHIN_S) as client, client.makefile("rb") as lines:
                client.sendall(b"AUTH TLS\r\n")
                assert [lines.readline() for _ in range(2)] == [b"220 Ready.\r\n", b"234 Begin.\r\n"]
            broken = KeyFiles(certificate=b"", key=b"")
            with packed(root) as descriptor:
                line.send(Message("reload", key_files=broken, generation=2, descriptor=descriptor))
            (failed,) = messages(line, "failed")
            assert "serve-tls-invalid" in failed.text
        worker.serving.key_files = KeyFiles()
        with pytest.raises(ServeError) as refused:
            run(worker)
        assert refused.value.id == ErrorId.SERVE_TLS_INVALID
