"""Sending a response: in parts, to a full socket, from a file that shrinks, under a cap. The test turns the loop."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from mirror.http.pump import SocketPump, TransportPump
from mirror.http.ranges import Span
from mirror.shared.bandwidth import Bandwidth
from tests.unit.mirror.open_files import open_file_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mirror.http.response import Piece
    from mirror.tree.opening import NotTheCheckedFileError

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
BODY = bytes(range(256)) * 16384
# turns of the loop after which a transfer that has not ended never will
MANY_TURNS = 2000


class Handle:
    """A call that was asked for."""

    def __init__(self, call: Callable[[], object], due_s: float) -> None:
        self.call: Callable[[], object] | None = call
        self.due_s = due_s

    def cancel(self) -> None:
        self.call = None


class Loop:
    """The part of an event loop that a pump uses; time passes when nothing else is to be done."""

    def __init__(self) -> None:
        self.writers: dict[int, Callable[[], object]] = {}
        self.calls: list[Handle] = []
        self.now_s = 0.0

    def add_writer(self, descriptor: int, call: Callable[[], object]) -> None:
        self.writers[descriptor] = call

    def remove_writer(self, descriptor: int) -> bool:
        return self.writers.pop(descriptor, None) is not None

    def call_later(self, delay_s: float, call: Callable[[], object]) -> Handle:
        # timers have a granularity, as uvloop's have
        self.calls.append(Handle(call, self.now_s + (max(delay_s, 0.001) if delay_s else 0.0)))
        return self.calls[-1]

    def call_soon(self, call: Callable[[], object]) -> Handle:
        return self.call_later(0.0, call)

    def turn(self) -> bool:
        """Do what is due; returns False when nothing is left to be done."""
        waiting, self.calls = sorted(self.calls, key=lambda handle: handle.due_s), []
        waiting = [handle for handle in waiting if handle.call is not None]
        writers = list(self.writers.values())
        if not waiting and not writers:
            return False
        for call in writers:
            call()
        for handle in waiting:
            self.now_s = max(self.now_s, handle.due_s)
            if handle.call is not None:
                handle.call()
        return True


class Watcher:
    """Whoever a response is sent for."""

    def __init__(self) -> None:
        self.content_bytes = 0
        self.signs_of_life = 0
        self.ends: list[str] = []

    def progressed(self, content_bytes: int) -> None:
        self.content_bytes += content_bytes
        self.signs_of_life += 1

    def finished(self) -> None:
        self.ends.append("finished")

    def broke(self, reason: str) -> None:
        self.ends.append(reason)

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        self.ends.append(error.reason)


class Wire:
    """A TCP connection with small buffers, and a pump at one end of it."""

    def __init__(self, file: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.socket()
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            self.client.connect(listener.getsockname())
            self.out, _ = listener.accept()
        self.out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        self.out.setblocking(False)
        self.client.setblocking(False)
        self.file = file
        self.loop = Loop()
        self.watcher = Watcher()
        self.received = bytearray()

    def pump(self, pieces: Sequence[Piece], *, bandwidth: Bandwidth | None = None) -> SocketPump:
        loop: Any = self.loop
        return SocketPump(loop, self.out, HEAD, pieces, open_file_at(self.file), self.watcher, bandwidth)

    def read(self) -> None:
        try:
            while data := self.client.recv(65536):
                self.received += data
        except BlockingIOError:
            pass

    def run(self) -> None:
        """Let the client read until the pump has come to its end."""
        for _ in range(MANY_TURNS):
            if self.watcher.ends:
                break
            self.loop.turn()
            self.read()
        assert self.watcher.ends, "the transfer never ends"
        self.out.shutdown(socket.SHUT_WR)
        self.client.setblocking(True)
        while data := self.client.recv(65536):
            self.received += data

    def close(self) -> None:
        self.client.close()
        self.out.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def wire(file: Path) -> Iterator[Wire]:
    made = Wire(file)
    yield made
    made.close()


def is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


PIECES: list[tuple[tuple[Piece, ...], bytes]] = [
    ((Span(0, len(BODY)),), BODY),
    ((Span(10, 20),), BODY[10:20]),
    ((b"a" * 300_000, Span(5, 10), b"b", Span(0, 70_000)), b"a" * 300_000 + BODY[5:10] + b"b" + BODY[:70_000]),
    ((), b""),
    ((Span(0, 0),), b""),
    ((b"", Span(3, 3), b"a", Span(0, 0)), b"a"),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "content"), PIECES)
def test_everything_arrives_in_order(wire: Wire, pieces: tuple[Piece, ...], content: bytes) -> None:
    wire.pump(pieces).start()
    wire.run()
    assert wire.received == HEAD + content
    assert wire.watcher.ends == ["finished"]
    assert wire.watcher.content_bytes == len(content)
    assert wire.loop.turn() is False


def test_a_client_that_does_not_read_costs_no_turns(wire: Wire) -> None:
    wire.pump((Span(0, len(BODY)),)).start()
    assert wire.watcher.ends == []
    assert list(wire.loop.writers) == [wire.out.fileno()]
    assert wire.loop.calls == []


def test_a_file_that_shrinks_breaks_the_answer(wire: Wire, file: Path) -> None:
    wire.pump((Span(0, len(BODY)),)).start()
    os.truncate(file, len(BODY) // 2)
    wire.run()
    assert wire.watcher.ends == ["became shorter while it was sent"]
    assert len(wire.received) < len(HEAD) + len(BODY)


def rewrite(file: Path, at: int) -> None:
    """Write to a file in place, and keep its size and its date."""
    before = file.stat()
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write(b"other")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "pieces",
    [
        (Span(0, len(BODY)),),
        (Span(7, len(BODY) - 7),),
        (Span(0, 1_500_000), b"boundary", Span(2_000_000, 3_900_000), b"end"),
    ],
    ids=["all", "a range", "two ranges"],
)
@pytest.mark.parametrize("at", [0, len(BODY) - 9], ids=["its beginning", "its end"])
def test_a_file_that_is_written_to_breaks_the_answer(
    wire: Wire, file: Path, pieces: tuple[Piece, ...], at: int
) -> None:
    wire.pump(pieces).start()
    assert wire.watcher.ends == []
    rewrite(file, at)
    wire.run()
    assert wire.watcher.ends == ["was written to while it was sent"]
    assert b"end" not in wire.received[-10:]

    transport, loop, watcher = Transport(100_000), Loop(), Watcher()
    pump = secure_pump(transport, loop, file, pieces, watcher)
    pump.start()
    rewrite(file, at)
    transport.room = 2 * len(BODY)
    while not watcher.ends:
        pump.room()
        loop.turn()
    assert watcher.ends == ["was written to while it was sent"]
    assert len(transport.sent) < len(HEAD) + sum(piece.size for piece in pieces if isinstance(piece, Span))


def test_a_shared_file_is_sent_as_it_is(wire: Wire, file: Path) -> None:
    loop: Any = wire.loop
    shared = open_file_at(file, shared=True)
    SocketPump(loop, wire.out, HEAD, (Span(0, len(BODY)),), shared, wire.watcher, None).start()
    with file.open("ab") as stream:
        stream.write(b"more")
    wire.run()
    assert wire.watcher.ends == ["finished"]
    assert wire.received == HEAD + BODY


def test_another_name_for_the_file_breaks_nothing(wire: Wire, file: Path) -> None:
    wire.pump((Span(0, len(BODY)),)).start()
    os.link(file, file.with_name("the next bundle's"))
    wire.run()
    assert wire.watcher.ends == ["finished"]
    assert wire.received == HEAD + BODY


def test_the_last_part_of_a_listed_file_is_sent_as_it_was_when_it_was_compared(wire: Wire, file: Path) -> None:
    last = 200_000
    # all of it fits, and the client reads nothing of it before it is written to
    wire.out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    wire.pump((Span(len(BODY) - last, len(BODY)),)).start()
    assert wire.watcher.ends == ["finished"]
    rewrite(file, len(BODY) - 9)
    wire.run()
    assert wire.received == HEAD + BODY[-last:]


def test_a_disk_that_fails_breaks_the_answer(wire: Wire, file: Path) -> None:
    # a directory is what reading fails of without a broken disk
    wire.file = file.parent
    wire.pump((Span(0, 100),)).start()
    wire.run()
    assert len(wire.watcher.ends) == 1
    assert wire.watcher.ends != ["finished"]
    assert wire.received in (b"", HEAD)
    transport, loop, watcher = Transport(1000), Loop(), Watcher()
    secure_pump(transport, loop, file.parent, (Span(0, 100),), watcher).start()
    assert watcher.ends == ["Is a directory"]
    assert transport.sent == HEAD


def test_a_client_that_leaves_breaks_the_answer(wire: Wire) -> None:
    wire.pump((Span(0, len(BODY)),)).start()
    wire.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wire.client.close()
    for _ in range(MANY_TURNS):
        if not wire.loop.turn():
            break
    assert len(wire.watcher.ends) == 1
    assert wire.watcher.ends != ["finished"]


def test_after_a_stop_nothing_is_heard_and_nothing_held(wire: Wire) -> None:
    pump = wire.pump((Span(0, len(BODY)),))
    assert pump._file is not None
    descriptor = pump._file._descriptor
    pump.start()
    pump.stop()
    assert is_closed(descriptor)
    assert wire.loop.turn() is False
    assert wire.watcher.ends == []
    pump.stop()


def test_a_cap_is_kept_to_the_byte(wire: Wire) -> None:
    rate = 200_000
    bandwidth = Bandwidth(rate, clock=lambda: wire.loop.now_s)
    wire.pump((Span(0, 500_000),), bandwidth=bandwidth).start()
    wire.run()
    assert wire.received == HEAD + BODY[:500_000]
    assert wire.loop.now_s == pytest.approx(len(wire.received) / rate, abs=0.3)


def test_who_waits_for_the_cap_is_not_taken_for_a_stalled_client(wire: Wire) -> None:
    bandwidth = Bandwidth(1024, clock=lambda: wire.loop.now_s)
    wire.pump((b"a" * 3000,), bandwidth=bandwidth).start()
    before = wire.watcher.signs_of_life
    # somebody else takes the whole budget, again and again
    for _ in range(5):
        wire.loop.now_s += 1.0
        bandwidth.take(1024)
        wire.loop.turn()
    assert wire.watcher.signs_of_life > before


class Transport:
    """A transport that has room for so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.sent = bytearray()

    def write(self, data: bytes) -> None:
        self.sent += data
        self.room -= len(data)

    def is_full(self) -> bool:
        return self.room <= 0


def secure_pump(
    transport: Any, loop: Any, file: Path, pieces: Sequence[Piece], watcher: Watcher, bandwidth: Bandwidth | None = None
) -> TransportPump:
    return TransportPump(loop, transport, HEAD, pieces, open_file_at(file), watcher, bandwidth, full=transport.is_full)


@pytest.mark.parametrize(("pieces", "content"), PIECES)
def test_a_transport_gets_no_more_than_it_has_room_for(file: Path, pieces: tuple[Piece, ...], content: bytes) -> None:
    transport, loop, watcher = Transport(100_000), Loop(), Watcher()
    pump = secure_pump(transport, loop, file, pieces, watcher)
    pump.start()
    for _ in range(MANY_TURNS):
        if watcher.ends:
            break
        assert transport.room > -262_144
        transport.room = 100_000
        pump.room()
        loop.turn()
    assert transport.sent == HEAD + content
    assert watcher.ends == ["finished"]
    assert watcher.content_bytes == len(content)
    assert loop.turn() is False


def test_a_file_that_shrinks_breaks_the_answer_under_tls(file: Path) -> None:
    transport, loop, watcher = Transport(100_000), Loop(), Watcher()
    pump = secure_pump(transport, loop, file, (Span(0, len(BODY)),), watcher)
    pump.start()
    os.truncate(file, 400_000)
    transport.room = 2 * len(BODY)
    pump.room()
    assert watcher.ends == ["became shorter while it was sent"]
    assert len(transport.sent) < len(HEAD) + len(BODY)


def test_room_while_waiting_for_the_cap_changes_nothing(file: Path) -> None:
    transport, loop, watcher = Transport(2 * len(BODY)), Loop(), Watcher()
    bandwidth = Bandwidth(100_000, clock=lambda: loop.now_s)
    pump = secure_pump(transport, loop, file, (Span(0, 300_000),), watcher, bandwidth)
    pump.start()
    for _ in range(MANY_TURNS):
        if watcher.ends:
            break
        pump.room()
        assert len([handle for handle in loop.calls if handle.call is not None]) <= 1
        loop.turn()
    assert transport.sent == HEAD + BODY[:300_000]
    assert watcher.ends == ["finished"]
    assert loop.now_s == pytest.approx(3.0, abs=0.3)


def test_after_a_stop_nothing_is_heard_under_tls(file: Path) -> None:
    transport, loop, watcher = Transport(2 * len(BODY)), Loop(), Watcher()
    pump = secure_pump(transport, loop, file, (Span(0, len(BODY)),), watcher, Bandwidth(1024, clock=lambda: loop.now_s))
    assert pump._file is not None
    descriptor = pump._file._descriptor
    pump.start()
    pump.stop()
    assert is_closed(descriptor)
    sent = len(transport.sent)
    loop.turn()
    assert len(transport.sent) == sent
    assert watcher.ends == []
