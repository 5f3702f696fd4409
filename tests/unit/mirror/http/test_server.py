"""All connections of one worker, on real sockets and uvloop; the test turns the clock, so a minute takes no time."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from mirror.http.connection import Connection
from mirror.http.handler import Handler
from mirror.http.own_urls import OwnUrls
from mirror.http.server import HttpServer
from mirror.http.site_parts import site_parts
from mirror.http.thread_work import ThreadWork
from mirror.http.timeouts import HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, STALL_TIMEOUT_S
from mirror.http.tls import server_context
from mirror.page.pages import Pages
from mirror.settings import Settings
from mirror.shared.addresses import AddressTable
from mirror.shared.counters import Field, shared_counters
from mirror.worker.access_log import AccessLog
from mirror.worker.control import KeyFiles, control_pair
from mirror.worker.findings import Findings
from mirror.worker.rechecking import Rechecks
from mirror.worker.serving import Loader
from mirror.worker.worker import Worker
from tests.fakes.certificates import authority
from tests.unit.mirror.bundle_tree import opened, write_bundle
from tests.unit.mirror.http.in_process import read_answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

BIG = bytes(range(256)) * 40_000
CONTENTS = {"small": b"small\n", "big": BIG}
GET_SMALL = b"GET /small HTTP/1.1\r\nHost: master\r\n\r\n"
GET_BIG = b"GET /big HTTP/1.1\r\nHost: master\r\n\r\n"
SMALL_WINDOW = 16384
MANY_TURNS = 100_000


@dataclass
class Running:
    """A server, and where it listens."""

    server: HttpServer
    worker: Worker
    loop: asyncio.AbstractEventLoop
    address: tuple[str, int] = ("", 0)

    def later(self, seconds: int) -> None:
        """Let so many seconds pass at once."""
        for _ in range(seconds):
            self.server.tick()

    async def connect(self, context: ssl.SSLContext | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect with a small receive buffer, and wait until the server knows."""
        before = self.worker.slot.get(Field.CONNECTIONS) + self.worker.slot.get(Field.REFUSED_CONNECTIONS)
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        line.setblocking(False)
        await self.loop.sock_connect(line, self.address)
        ends = await asyncio.open_connection(
            sock=line, limit=SMALL_WINDOW, ssl=context, server_hostname="master" if context else None
        )
        for _ in range(MANY_TURNS):
            if self.worker.slot.get(Field.CONNECTIONS) + self.worker.slot.get(Field.REFUSED_CONNECTIONS) > before:
                break
            await asyncio.sleep(0)
        return ends


def name_of(listening: Any) -> tuple[str, int]:
    """Return where a server of the loop listens."""
    host, port = listening.sockets[0].getsockname()
    return host, port


@contextmanager
def a_worker(root: Path, **given: Any) -> Iterator[Worker]:
    with opened(write_bundle(root, CONTENTS)) as handle:
        settings = Settings(root, **given)
        loader = Loader(handle, (), settings, site_parts)
        counters = shared_counters(("http",))
        ours, theirs = control_pair()
        yield Worker(
            0, (), settings, counters, counters.slots[0], None, AddressTable(1, 1), ours, loader,
            loader.load(KeyFiles(), 1), AccessLog(None, "json"),
        )  # fmt: skip
        ours.close()
        theirs.close()


def run(
    tmp_path: Path, part: Callable[[Running], Awaitable[None]], *, context: ssl.SSLContext | None = None,
    max_descriptors: int = 100, **given: Any,
) -> None:  # fmt: skip
    """Run a part of a test beside a server, in the server's loop."""
    with a_worker(tmp_path / "root", **given) as worker:
        loop = uvloop.new_event_loop()
        slow = ThreadWork(loop)
        handler = Handler(worker, OwnUrls(worker, Pages(), Findings(worker, lambda: None)), slow)
        secure = context is not None
        server = HttpServer(
            worker, handler, loop, Rechecks(worker, slow), max_descriptors=max_descriptors, secure=secure
        )
        running = Running(server, worker, loop)

        async def main() -> None:
            listening = await loop.create_server(
                lambda: Connection(server, secure=secure), "127.0.0.1", 0, ssl=context
            )  # fmt: skip
            running.address = name_of(listening)
            await part(running)
            listening.close()
            server.stop()
            server.abort()
            await asyncio.sleep(0.01)
            assert worker.slot.get(Field.OPEN_CONNECTIONS) == 0

        try:
            loop.run_until_complete(asyncio.wait_for(main(), 60))
        finally:
            slow.close()
            loop.close()


@pytest.mark.parametrize("limit", [0, 1])
def test_who_is_turned_away_hears_why(tmp_path: Path, limit: int) -> None:
    async def part(running: Running) -> None:
        held = [await running.connect() for _ in range(limit)]
        reader, writer = await running.connect()
        (response,) = read_answers(await reader.read())
        assert response.status == 503
        assert response.fields["Connection"] == "close"
        assert response.body
        assert running.worker.slot.get(Field.REFUSED_CONNECTIONS) == 1
        for _, kept in [*held, (reader, writer)]:
            kept.close()

    run(tmp_path, part, max_descriptors=limit)


def test_an_address_that_may_not_connect_hears_why(tmp_path: Path) -> None:
    class Elsewhere(Connection):
        """A client of another network."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(_From("203.0.113.7", transport))

    class _From:
        def __init__(self, address: str, transport: Any) -> None:
            self._address, self._transport = address, transport

        def get_extra_info(self, name: str) -> Any:
            return (self._address, 1) if name == "peername" else self._transport.get_extra_info(name)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transport, name)

    async def part(running: Running) -> None:
        listening = await running.loop.create_server(
            lambda: Elsewhere(running.server, secure=False), "127.0.0.1", 0
        )  # fmt: skip
        reader, writer = await asyncio.open_connection(*name_of(listening))
        writer.write(GET_SMALL)
        (response,) = read_answers(await reader.read())
        assert response.status == 403
        assert b"--allow" in response.body
        writer.close()
        listening.close()
        reader, writer = await running.connect()
        writer.write(GET_SMALL)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()

    run(tmp_path, part, allow=(ipaddress.ip_network("198.51.100.0/24"),))


def test_dripping_heads_are_closed_in_time_and_hold_up_nobody(tmp_path: Path) -> None:
    async def part(running: Running) -> None:
        dripping = [await running.connect() for _ in range(20)]
        for _ in range(HEAD_TIMEOUT_S - 1):
            for _, writer in dripping:
                writer.write(b"G" if running.server.now_s == 0 else b"E")
            running.later(1)
        other, asking = await running.connect()
        asking.write(GET_SMALL)
        assert (await other.readline()).startswith(b"HTTP/1.1 200")
        running.later(3)
        for reader, writer in dripping:
            said = await reader.read()
            assert said == b"" or said.startswith((b"HTTP/1.1 408", b"HTTP/1.1 501"))
            writer.close()
        asking.close()

    run(tmp_path, part)


@pytest.mark.parametrize("secure", [False, True])
def test_a_reader_is_cut_when_it_stalls_and_not_while_it_reads(tmp_path: Path, secure: bool) -> None:
    site = authority(tmp_path)
    certificate, key = site.client_files("master")
    context = server_context(certificate.read_bytes(), key.read_bytes(), "master.pem") if secure else None
    trusted = ssl.create_default_context(cafile=str(site.file)) if secure else None
    if trusted is not None:
        trusted.check_hostname = False

    async def part(running: Running) -> None:
        reader, writer = await running.connect(trusted)
        _, stalling = await running.connect(trusted)
        for end in (writer, stalling):
            end.write(GET_BIG)
        head = await reader.readuntil(b"\r\n\r\n")
        received = 0
        # far longer than any deadline, for the one that goes on reading
        while received < len(BIG):
            data = await reader.read(1024 * 1024)
            assert data, f"it was cut after {received} bytes"
            received += len(data)
            running.later(received // 65536 - running.server.now_s)
        assert running.server.now_s > STALL_TIMEOUT_S + IDLE_TIMEOUT_S
        assert f"Content-Length: {len(BIG)}".encode() in head
        assert running.worker.slot.get(Field.CUT_TRANSFERS) == 1
        for end in (writer, stalling):
            end.close()

    run(tmp_path, part, context=context)


def test_idle_connections_are_closed_after_their_time(tmp_path: Path) -> None:
    async def part(running: Running) -> None:
        ends = [await running.connect() for _ in range(10)]
        for reader, writer in ends:
            writer.write(GET_SMALL)
            await reader.readuntil(b"small\n")
        running.later(IDLE_TIMEOUT_S)
        assert running.worker.slot.get(Field.OPEN_CONNECTIONS) == 10
        running.later(1)
        for reader, writer in ends:
            assert await reader.read() == b""
            writer.close()

    run(tmp_path, part)


def test_a_stop_drains(tmp_path: Path) -> None:
    async def part(running: Running) -> None:
        busy, asking = await running.connect()
        idle, _ = await running.connect()
        asking.write(GET_BIG)
        await busy.readuntil(b"\r\n\r\n")
        running.server.stop()
        assert await idle.read() == b""
        assert not running.server.drained.is_set()
        assert len(await busy.read()) == len(BIG)
        await running.server.drained.wait()
        asking.close()

    run(tmp_path, part)
