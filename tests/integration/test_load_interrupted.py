"""A load that is interrupted while an image is on its way into a real engine, and another run."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.mirror_program import eventually
from tests.integration.placed_images import AMD64, place_images
from tests.integration.relay import relayed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.relay import Pump

pytestmark = pytest.mark.integration
APP = "docker.io/demo/app:1"
LAYER_BYTES = 8 * 1024 * 1024
HELD_AFTER_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 64 * 1024
POLL_MS = 20


@dataclass(slots=True)
class Relay:
    """A socket before an engine's; `held` once so much of an image has passed that no more of it may."""

    socket: Path
    held: threading.Event = field(default_factory=threading.Event)


@contextmanager
def holding_relay(target: Path, path: Path) -> Iterator[Relay]:
    """Pass connections on to a Unix socket, up to HELD_AFTER_BYTES of what one client sends, until it hangs up."""
    relay = Relay(path)

    def connect() -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(target))
        return server

    def pumps(client: socket.socket, server: socket.socket) -> tuple[Pump, Pump]:
        return partial(_pump, client, server, relay.held), partial(_pump, server, client, None)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with relayed(listener, connect, pumps):
            yield relay


def _pump(source: socket.socket, sink: socket.socket, held: threading.Event | None) -> None:
    passed = 0
    with suppress(OSError):
        while data := source.recv(PIECE_BYTES):
            sink.sendall(data)
            passed += len(data)
            if held is not None and passed > HELD_AFTER_BYTES:
                held.set()
                _await_end(source)
                break
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _await_end(client: socket.socket) -> None:
    poll = select.poll()
    poll.register(client, select.POLLHUP | select.POLLRDHUP)
    while not poll.poll(POLL_MS):
        pass


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_of_the_image_stays_and_another_run_loads_it(
    signal_: signal.Signals, code: int, engine: DockerEngine, tmp_path: Path
) -> None:
    placed = place_images(tmp_path / "made", {APP: (AMD64,)}, filler_bytes=LAYER_BYTES)
    root = placed.write_bundle(tmp_path / "root")
    command = [str(Path(sys.executable).with_name("bundler")), "load-images", f"--root={root}"]
    short = engine.socket.with_name(f"relay-{code}")
    with holding_relay(engine.socket, short) as relay:
        running = subprocess.Popen(
            command, env={**os.environ, "DOCKER_HOST": f"unix://{relay.socket}"}, stderr=subprocess.PIPE, text=True
        )
        assert relay.held.wait(60)
        running.send_signal(signal_)
        _, complaints = running.communicate(timeout=60)
    assert (running.returncode, "Traceback" in complaints) == (code, False), complaints
    assert engine.docker("images", "-aq") == ""
    storage = engine.directory / "root"
    eventually(lambda: not any((storage / "tmp").iterdir()), "the engine has dropped what came")
    assert not [path for path in storage.glob("image/overlay2/layerdb/sha256/*") if path.is_dir()]
    done = subprocess.run(
        command, env={**os.environ, "DOCKER_HOST": f"unix://{engine.socket}"}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert engine.docker("images", "-q", "--no-trunc").strip() == placed.ids[APP]["linux/amd64"]
    engine.emptied()
