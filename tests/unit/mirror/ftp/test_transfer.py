"""One transfer from its data port to its end, on an event loop that is this test."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from mirror.ftp.content import UnreadableError
from mirror.ftp.data_connection import WouldBlock
from mirror.ftp.limits import CHUNK_BYTES
from mirror.ftp.transfer import DataTransfer, TransferEnd
from mirror.shared.bandwidth import Bandwidth
from mirror.tree.opening import NotTheCheckedFileError
from tests.fakes.event_loop import HandEventLoop
from tests.unit.mirror.http.a_file import a_file

if TYPE_CHECKING:
    import socket

    from mirror.ftp.content import Content
    from mirror.ftp.data_connection import DataConnection, Direction
    from mirror.worker.untaken import Taking

PORT, CONNECTION = 7, 8
COMPLETE = "Transfer complete."


class Port:
    """A data port whose connection comes at the call that a test says; an exception instead of it is raised."""

    awaits: Direction = "read"

    def __init__(self, *comes: bool | OSError) -> None:
        self._comes = list(comes)
        self.closed = False

    def fileno(self) -> int:
        return PORT

    def establish(self) -> Any:
        come = self._comes.pop(0)
        if isinstance(come, OSError):
            raise come
        return object() if come else None

    def close(self) -> None:
        self.closed = True


class Zeros:
    """So many bytes; their number is known, or shows at the end only."""

    def __init__(self, size: int, *, known: bool = True) -> None:
        self._left = size
        self._known = known
        self.closed = False
        self.remaining: int | None = size if known else None

    def require_taken(self, taking: Taking) -> None:
        """Nothing that was made can change."""

    def send(self, socket: int, limit: int) -> int:
        raise NotImplementedError

    def read(self, limit: int) -> bytes:
        return bytes(min(limit, self._left))

    def advance(self, count: int) -> None:
        self._left -= count
        self.remaining = self._left if self._known or not self._left else None

    def close(self) -> None:
        self.closed = True


class Connection:
    """A data connection that takes what it is given, unless a test has it raise or take less."""

    def __init__(self) -> None:
        self.handshakes: list[Exception] = []
        self.takes: list[int | Exception] = []
        self.end = ""

    def fileno(self) -> int:
        return CONNECTION

    def handshake(self) -> None:
        if self.handshakes:
            raise self.handshakes.pop(0)

    def send(self, content: Content, limit: int) -> int:
        take = self.takes.pop(0) if self.takes else limit
        if isinstance(take, Exception):
            raise take
        data = content.read(min(take, limit))
        content.advance(len(data))
        return len(data)

    def finish(self) -> None:
        self.end = "finished"

    def abort(self) -> None:
        self.end = "aborted"


@dataclass
class Client:
    """Begins a transfer, and remembers what it hears of it."""

    connection: Connection = field(default_factory=Connection)
    loop: HandEventLoop = field(default_factory=HandEventLoop)
    sent_bytes: int = 0
    changed: list[str] = field(default_factory=list)
    ends: list[TransferEnd] = field(default_factory=list)

    def data_connection(self, connection: socket.socket) -> DataConnection:
        del connection
        return self.connection

    def sent(self, count: int) -> None:
        self.sent_bytes += count

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        self.changed.append(error.reason)

    def transfer_ended(self, end: TransferEnd) -> None:
        self.ends.append(end)

    def begin(self, content: Zeros, port: Port, bandwidth: Bandwidth | None = None) -> DataTransfer:
        """Start a transfer."""
        transfer = DataTransfer(self.loop, port, content, self, bandwidth)
        transfer.start()
        return transfer


def test_a_small_file_whose_client_has_connected_is_sent_at_once() -> None:
    client, content, port = Client(), Zeros(5), Port(True)
    client.begin(content, port)
    assert client.ends == [TransferEnd(226, COMPLETE, 5)]
    assert (client.sent_bytes, client.connection.end) == (5, "finished")
    assert content.closed
    assert port.closed
    assert client.loop.waiting == {}


def test_an_empty_file_is_a_connection_and_its_end() -> None:
    client = Client()
    client.begin(Zeros(0), Port(True))
    assert client.ends == [TransferEnd(226, COMPLETE, 0)]
    assert client.connection.end == "finished"


def test_a_data_connection_is_waited_for() -> None:
    client, port = Client(), Port(False, False, True)
    client.begin(Zeros(5), port)
    for _ in range(2):
        assert client.loop.events == {PORT: client.loop.READ}
        assert not client.ends
        client.loop.happen(PORT, client.loop.READ)
    assert client.ends == [TransferEnd(226, COMPLETE, 5)]
    assert client.loop.waiting == {}


@pytest.mark.parametrize("known", [True, False])
def test_a_large_content_goes_in_turns(known: bool) -> None:
    client = Client()
    transfer = client.begin(Zeros(3 * CHUNK_BYTES, known=known), Port(True))
    for turn in (1, 2):
        assert client.loop.events == {CONNECTION: client.loop.WRITE}
        assert transfer.sent_bytes == turn * CHUNK_BYTES
        client.loop.happen(CONNECTION, client.loop.WRITE)
    assert client.ends == [TransferEnd(226, COMPLETE, 3 * CHUNK_BYTES)]
    assert client.loop.waiting == {}


def test_a_connection_is_waited_for_in_the_direction_that_it_wants() -> None:
    client = Client()
    client.connection.handshakes = [WouldBlock("read"), WouldBlock("write")]
    client.connection.takes = [WouldBlock("write"), 3]
    client.begin(Zeros(5), Port(True))
    loop = client.loop
    assert loop.events == {CONNECTION: loop.READ}
    # what is not waited for changes nothing
    loop.happen(CONNECTION, loop.WRITE)
    loop.happen(CONNECTION, loop.READ)
    assert loop.events == {CONNECTION: loop.WRITE}
    loop.happen(CONNECTION, loop.WRITE)
    assert loop.events == {CONNECTION: loop.WRITE}
    loop.happen(CONNECTION, loop.WRITE)
    assert client.sent_bytes == 3
    loop.happen(CONNECTION, loop.WRITE)
    assert client.ends == [TransferEnd(226, COMPLETE, 5)]


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (NotTheCheckedFileError(a_file(), "is another"), TransferEnd(426, "Transfer cut: the file is another.", 2)),
        (UnreadableError("no disk"), TransferEnd(451, "Transfer cut: the disk failed: no disk.", 2)),
        (OSError(errno.EPIPE, "Broken pipe"), TransferEnd(426, "Transfer cut: Broken pipe.", 2)),
        (OSError(), TransferEnd(426, "Transfer cut: the data connection is gone.", 2)),
    ],
)  # fmt: skip
def test_what_fails_on_the_way_cuts_the_transfer(error: Exception, end: TransferEnd) -> None:
    client, content = Client(), Zeros(5)
    client.connection.takes = [2, error]
    client.begin(content, Port(True))
    client.loop.happen(CONNECTION, client.loop.WRITE)
    assert client.ends == [end]
    assert client.connection.end == "aborted"
    assert content.closed
    assert client.loop.waiting == {}


def test_a_data_connection_that_is_refused_is_425() -> None:
    client, content, port = Client(), Zeros(5), Port(OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)))
    client.begin(content, port)
    assert client.ends == [TransferEnd(425, "Cannot open the data connection: Connection refused.", 0)]
    assert content.closed
    assert port.closed


def test_a_side_that_is_gone_is_noticed() -> None:
    before, after = Client(), Client()
    before.begin(Zeros(5), Port(False))
    before.loop.hang_up(PORT)
    assert before.ends == [TransferEnd(425, "Cannot open the data connection.", 0)]
    after.begin(Zeros(2 * CHUNK_BYTES), Port(True))
    after.loop.hang_up(CONNECTION)
    text = "Transfer cut: the client closed the data connection."
    assert after.ends == [TransferEnd(426, text, CHUNK_BYTES)]


def test_an_exception_that_nobody_expected_ends_this_transfer_only(caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    client.connection.takes = [2, ValueError("a bug")]
    client.begin(Zeros(5), Port(True))
    client.loop.happen(CONNECTION, client.loop.WRITE)
    assert client.ends == [TransferEnd(451, "Transfer cut: internal error.", 2)]
    assert "a transfer failed unexpectedly" in caplog.text


def test_what_makes_no_progress_is_given_up() -> None:
    waiting, stalled = Client(), Client()
    transfer = waiting.begin(Zeros(5), Port(False))
    now_s = time.monotonic()
    transfer.check_times(now_s + 5, stall_s=60, connect_s=30)
    assert waiting.ends == []
    transfer.check_times(now_s + 31, stall_s=60, connect_s=30)
    assert waiting.ends == [TransferEnd(425, "No data connection came about in time.", 0)]
    transfer = stalled.begin(Zeros(2 * CHUNK_BYTES), Port(True))
    transfer.check_times(now_s + 31, stall_s=60, connect_s=30)
    assert stalled.ends == []
    transfer.check_times(now_s + 100, stall_s=60, connect_s=30)
    assert stalled.ends == [TransferEnd(426, "Transfer cut: no progress for too long.", CHUNK_BYTES)]


def test_an_end_is_reported_once_and_a_close_not_at_all() -> None:
    client, closed, content, port = Client(), Client(), Zeros(5), Port(False)
    transfer = client.begin(Zeros(5), Port(False))
    for _ in range(2):
        transfer.give_up(426, "Transfer aborted.")
    transfer.close()
    assert client.ends == [TransferEnd(426, "Transfer aborted.", 0)]
    transfer = closed.begin(content, port)
    transfer.close()
    assert closed.ends == []
    assert content.closed
    assert port.closed
    assert closed.loop.waiting == {}


def test_under_a_cap_it_waits_for_the_budget() -> None:
    now_s = [0.0]
    client, bandwidth = Client(), Bandwidth(100_000, clock=lambda: now_s[0])
    transfer = client.begin(Zeros(30_000), Port(True), bandwidth)
    # nothing is granted at first: only the connection's end is waited for
    assert client.loop.events == {CONNECTION: 0}
    assert transfer.sent_bytes == 0
    turns = 0
    while not client.ends:
        if client.loop.later:
            now_s[0] += client.loop.wait()
        else:
            client.loop.happen(CONNECTION, client.loop.WRITE)
        turns += 1
        assert turns < 1000
    assert client.ends == [TransferEnd(226, COMPLETE, 30_000)]
    assert now_s[0] >= 0.3 - 0.05


def test_a_budget_that_cannot_be_used_is_given_back() -> None:
    now_s = [0.0]
    client, bandwidth = Client(), Bandwidth(100_000, clock=lambda: now_s[0])
    now_s[0] = 1.0
    client.connection.takes = [WouldBlock("write")]
    client.begin(Zeros(5000), Port(True), bandwidth)
    assert client.loop.events == {CONNECTION: client.loop.WRITE}
    assert bandwidth.take(25_000) == (25_000, 0.0)


def test_a_transfer_that_has_ended_does_not_go_on_when_its_budget_comes() -> None:
    client, bandwidth = Client(), Bandwidth(100_000, clock=lambda: 0.0)
    transfer = client.begin(Zeros(30_000), Port(True), bandwidth)
    transfer.close()
    client.loop.wait()
    assert client.ends == []
    assert client.connection.end == "aborted"
