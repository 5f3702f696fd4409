"""Sending a response: in parts, to a full socket, from a file that shrinks, under a cap. The test turns the loop."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from mirror.http.ranges import Span
from mirror.shared.bandwidth import Bandwidth
from tests.unit.mirror.http.pumping import BODY, HEAD, MANY_TURNS, Loop, Transport, Watcher, Wire, secure_pump

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.http.response import Piece


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
    ((memoryview(b"m" * 300_000)[1:], Span(5, 10), memoryview(b"")), b"m" * 299_999 + BODY[5:10]),
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
