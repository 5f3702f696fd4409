"""Sending a file that somebody writes to meanwhile: a listed one is never whole, a shared one is sent as it is."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from mirror.ftp.data_connection import reset
from mirror.http.pump import SocketPump
from mirror.http.ranges import Span
from mirror.tree.open_file import COPIED_BYTES
from tests.unit.mirror.http.pumping import BODY, HEAD, Loop, Transport, Watcher, Wire, secure_pump
from tests.unit.mirror.open_files import open_file_at

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


def test_pages_that_a_client_has_not_taken_yet_are_waited_for(tmp_path: Path) -> None:
    body = BODY[: COPIED_BYTES + 100_000]
    file = tmp_path / "file"
    file.write_bytes(body)
    # both ends may hold as much as the kernel likes, which is more than what is copied
    wire = Wire(file, small=False)
    wire.pump((Span(0, len(body)),)).start()
    for _ in range(100):
        # the client reads nothing
        wire.loop.turn()
    rewrite(file, 0)
    wire.run()
    assert wire.watcher.ends == ["was written to while it was sent"]
    assert len(wire.received) < len(HEAD) + len(body)
    wire.close()


def test_ranges_of_a_small_file_queue_no_pages_that_would_be_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(BODY[:100_000])
    wire = Wire(file, small=False)
    wire.pump((Span(0, 50_000), b"boundary", Span(60_000, 60_001))).start()
    # the client has read nothing
    assert wire.watcher.ends == ["finished"]
    wire.close()


def test_a_client_that_is_gone_before_the_first_byte_ends_it(wire: Wire) -> None:
    reset(wire.client)
    wire.pump((Span(0, len(BODY)),)).start()
    assert wire.watcher.ends == [os.strerror(errno.ENOTCONN)]


def test_they_arrive_where_nobody_writes_to_them(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(BODY)
    wire = Wire(file, small=False)
    wire.pump((Span(0, len(BODY)),)).start()
    wire.run()
    assert wire.watcher.ends == ["finished"]
    assert wire.received == HEAD + BODY
    wire.close()
