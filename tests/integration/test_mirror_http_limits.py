"""Many connections, slow ones, and a cap on the bytes per second: none of them stops the others."""

from __future__ import annotations

import random
import resource
import socket
import ssl
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.fakes.certificates import authority
from tests.integration.mirror_program import eventually, mirror
from tests.integration.raw_http import connected, request
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from pathlib import Path

BIG = random.Random(10).randbytes(30_000_000)
CONTENTS = {"big": BIG, "small": b"small\n"}
IDLE_CONNECTIONS = 5000
OPEN = 'mirror_connections_open{protocol="http"}'
RATE = 2_000_000
WINDOW_S = 2.5
CLIENTS = 4


@pytest.fixture
def many_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE_CONNECTIONS + 500
    if soft < wanted:
        assert hard == resource.RLIM_INFINITY or hard >= wanted, f"this host allows {hard} open files only"
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_thousands_of_idle_connections_hold_up_nobody(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    with mirror(root, "--workers", "2") as running, ExitStack() as held:
        lines = [
            held.enter_context(socket.create_connection(("127.0.0.1", running.port))) for _ in range(IDLE_CONNECTIONS)
        ]
        eventually(lambda: running.metric(OPEN) >= IDLE_CONNECTIONS, "all connections are held")
        # some have begun a request and do not go on
        for line in lines[::10]:
            line.sendall(b"GET /small HTTP/1.1\r\nHost:")
        with connected(running.port) as wire:
            for _ in range(100):
                assert wire.get("/small").body == CONTENTS["small"]
            assert wire.get("/big").body == BIG
        assert running.metric(OPEN) >= IDLE_CONNECTIONS
        for line in lines[::10]:
            line.sendall(b" master\r\n\r\n")
        assert all(line.recv(12) == b"HTTP/1.1 200" for line in lines[::10])


@pytest.mark.parametrize("secure", [False, True])
def test_a_cap_holds_for_all_clients_together(tmp_path: Path, secure: bool) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    options: list[str] = []
    context = None
    if secure:
        certificate, key = authority(tmp_path).client_files("master")
        options = ["--tls-cert", str(certificate), "--tls-key", str(key)]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    counts = [0] * CLIENTS
    done = threading.Event()

    def fetch(number: int, port: int) -> None:
        with connected(port, context) as wire:
            wire.send(request("/big"))
            while not done.is_set():
                counts[number] += len(wire.socket.recv(65536))

    with mirror(root, "--workers", "2", "--rate-limit", str(RATE), "--grace", "0", *options) as running:
        fetching = [threading.Thread(target=fetch, args=(number, running.port)) for number in range(CLIENTS)]
        for thread in fetching:
            thread.start()
        # what may be saved up before, and what is in buffers, is over by then
        eventually(lambda: sum(counts) > RATE, "the transfers have begun")
        began_s, before = time.monotonic(), sum(counts)
        eventually(lambda: time.monotonic() - began_s >= WINDOW_S, "a while has passed")
        least_s = (sum(counts) - before) / RATE
        lasted_s = time.monotonic() - began_s
        done.set()
        for thread in fetching:
            thread.join()
        assert lasted_s >= 0.8 * least_s
        assert all(count > 0 for count in counts)


def test_a_slow_reader_holds_up_nobody(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", CONTENTS)
    with mirror(root) as running, ExitStack() as held:
        for _ in range(50):
            slow = held.enter_context(connected(running.port, receive_bytes=16384))
            slow.begin("/big")
        with connected(running.port) as wire:
            for _ in range(50):
                assert wire.get("/small").body == CONTENTS["small"]
            assert wire.get("/big").body == BIG
        assert running.health()[0] == 200
