"""All sessions of one worker on real sockets and pyftpdlib's loop: who may come in, what they share, and the end."""

from __future__ import annotations

import ipaddress
import socket
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from mirror.ftp.commands import COMMANDS
from mirror.ftp.limits import Limits, affordable_sessions
from mirror.ftp.pyftpdlib_adapter import new_event_loop
from mirror.ftp.server import FtpServer
from mirror.ftp.session import Session
from mirror.shared.counters import Field, State
from tests.unit.mirror.bundle_tree import write_bundle
from tests.unit.mirror.ftp.in_process import Client, run_until, worker_on
from tests.unit.mirror.in_a_child import in_a_child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.ftp.event_loop import EventLoop
    from mirror.ftp.interface import Owner
    from mirror.worker.worker import Worker

# more than the sockets between a server and a client that does not read hold
BIG = bytes(range(256)) * 80_000
SILENT = b"421 Nothing was heard for too long; closing.\r\n"


@dataclass
class Running:
    """A server, and clients of it."""

    server: FtpServer
    worker: Worker
    loop: EventLoop

    def connect(self, source: str = "127.0.0.1") -> Client:
        """Connect, and wait until the server knows."""
        before = self.worker.slot.get(Field.CONNECTIONS)
        address = self.worker.listeners[0].getsockname()
        connection = socket.create_connection(address, timeout=30, source_address=(source, 0))
        run_until(self.loop, lambda: self.worker.slot.get(Field.CONNECTIONS) > before)
        return Client(connection, self.loop)

    def client(self) -> Client:
        """Return a client that has logged in."""
        client = self.connect()
        assert client.reply() == "220 Ready."
        client.ask("USER ftp")
        assert client.ask("PASS x").startswith("230")
        return client

    def open_connections(self) -> int:
        """Return how many sessions are counted."""
        return self.worker.slot.get(Field.OPEN_CONNECTIONS)


@contextmanager
def running(
    root: Path,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    big: bytes = b"",
    **given: Any,
) -> Iterator[Running]:
    with worker_on(write_bundle(root, {"big.bin": big, "small": b"small"}), **given) as (worker, _):
        loop = new_event_loop()
        server = FtpServer(worker, loop, limits, partial(Session, commands=COMMANDS))
        yield Running(server, worker, loop)
        server.close()
        loop.close()


def test_a_session_is_counted_from_its_begin_to_its_end(tmp_path: Path) -> None:
    with running(tmp_path) as mirror:
        client = mirror.client()
        assert mirror.open_connections() == 1
        assert len(mirror.server.sessions) == 1
        assert client.ask("QUIT") == "221 Goodbye."
        run_until(mirror.loop, lambda: not mirror.server.sessions)
        assert mirror.open_connections() == 0
        assert mirror.worker.slot.get(Field.CONNECTIONS) == 1


def test_a_login_names_the_bundle(tmp_path: Path) -> None:
    with running(tmp_path) as mirror:
        client = mirror.connect()
        client.reply()
        client.ask("USER ftp")
        current = mirror.worker.serving.site.current
        assert current is not None
        assert client.ask("PASS x") == f"230 Logged in. This is {current.title}, bundle {current.short_id}."


def test_who_is_not_allowed_or_one_too_many_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "a", Limits(sessions=2)) as mirror:
        clients = [mirror.client(), mirror.client()]
        assert mirror.connect().rest() == b"421 Too many clients; try again later.\r\n"
        assert mirror.worker.slot.answers()[421] == 1
        assert len(clients) == len(mirror.server.sessions)
    with running(tmp_path / "b", ftp_connections=1) as mirror:
        client, other = mirror.client(), mirror.connect("127.0.0.2")
        assert other.reply() == "220 Ready."
        assert mirror.connect().rest() == b"421 Too many connections from your address.\r\n"
        client.close()
        run_until(mirror.loop, lambda: mirror.open_connections() == 1)
        assert mirror.connect().reply() == "220 Ready."
        assert mirror.worker.slot.get(Field.REFUSED_CONNECTIONS) == 1


def test_an_address_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, allow=(ipaddress.ip_network("198.51.100.0/24"),)) as mirror:
        # loopback may always connect, so another address is made up
        accepted = mirror.server._listeners._accepted
        ours, theirs = socket.socketpair()
        accepted(theirs, ("203.0.113.5", 40000))
        assert Client(ours, mirror.loop).rest() == b"421 Your address may not connect.\r\n"
        ours, theirs = socket.socketpair()
        ours.close()
        accepted(theirs, ("203.0.113.5", 40000))
        assert theirs.fileno() == -1
        assert mirror.worker.slot.get(Field.REFUSED_CONNECTIONS) == 2


def test_whoever_is_gone_before_the_session_begins_is_not_counted(tmp_path: Path) -> None:
    with running(tmp_path, ftp_connections=1) as mirror:
        gone = socket.create_connection(mirror.worker.listeners[0].getsockname(), timeout=30)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
        run_until(mirror.loop, lambda: mirror.worker.slot.get(Field.CONNECTIONS))
        assert not mirror.server.sessions
        assert mirror.open_connections() == 0
        assert mirror.connect().reply() == "220 Ready."


def test_silence_is_noticed_by_itself(tmp_path: Path) -> None:
    with running(tmp_path, Limits(login_s=0, sweep_s=0.001)) as mirror:
        assert mirror.connect().rest() == b"220 Ready.\r\n" + SILENT


def test_a_session_that_fails_does_not_keep_the_others_from_being_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: float) -> None:
        raise ValueError("a bug")

    with running(tmp_path, Limits(login_s=0, sweep_s=3600)) as mirror:
        broken = mirror.connect()
        (session,) = mirror.server.sessions
        monkeypatch.setattr(session, "check_times", fail)
        silent = mirror.connect()
        mirror.server._sweep()
        assert broken.rest() == b"220 Ready.\r\n"
        assert silent.rest() == b"220 Ready.\r\n" + SILENT
        assert "a session failed unexpectedly" in caplog.text


def test_a_stop_waits_for_transfers_only(tmp_path: Path) -> None:
    with running(tmp_path, big=BIG) as mirror:
        idle, busy = mirror.client(), mirror.client()
        data = busy.data()
        assert busy.ask("RETR big.bin").startswith("150")
        mirror.server.stop()
        assert mirror.worker.slot.get(Field.STATE) == State.STOPPING
        assert idle.reply() == "421 The server is stopping."
        assert data.rest() == BIG
        assert busy.codes(2) == [226, 421]
        assert not mirror.server.sessions
        # the socket is the supervisor's: it still takes connections, and nobody here answers them
        waiting = Client(socket.create_connection(mirror.worker.listeners[0].getsockname(), timeout=30), mirror.loop)
        assert waiting.quiet()


def test_once_others_have_taken_over_sessions_may_go_on_for_a_while(tmp_path: Path) -> None:
    with running(tmp_path, big=BIG) as mirror:
        idle, busy = mirror.client(), mirror.client()
        mirror.server.stop(0.2)
        assert mirror.worker.slot.get(Field.STATE) == State.STOPPING
        data = busy.data()
        assert busy.ask("RETR big.bin").startswith("150")
        assert idle.reply() == "421 The server is stopping."
        assert data.rest() == BIG
        assert busy.codes(2) == [226, 421]


def test_a_close_cuts_what_still_runs(tmp_path: Path) -> None:
    with running(tmp_path, big=BIG) as mirror:
        busy = mirror.client()
        data = busy.data()
        assert busy.ask("RETR big.bin").startswith("150")
        for session in list(mirror.server.sessions):
            session.abort(426, "Transfer cut: the server is stopping.")
        assert busy.reply() == "426 Transfer cut: the server is stopping."
        with pytest.raises(ConnectionResetError):
            data.rest()
        busy.data()
        assert busy.ask("RETR big.bin").startswith("150")
    assert mirror.worker.slot.get(Field.CUT_TRANSFERS) == 2
    assert mirror.open_connections() == 0


def test_what_is_reported_once_is_reported_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as mirror:
        for _ in range(2):
            mirror.server.report("a range is used up", once=True)
            mirror.server.report("a disk fails")
    assert capsys.readouterr().err.splitlines() == [
        "mirror: a range is used up",
        "mirror: a disk fails",
        "mirror: a disk fails",
    ]


def test_a_changed_file_is_looked_at_again_and_counted(tmp_path: Path) -> None:
    with running(tmp_path) as mirror:
        (tmp_path / "small").write_bytes(b"other")
        client = mirror.client()
        assert client.ask("RETR small").startswith("450")
        run_until(mirror.loop, lambda: mirror.worker.slot.get(Field.FAULTS) == 1)


def test_what_is_to_be_done_later_is_done_on_the_loop(tmp_path: Path) -> None:
    with running(tmp_path) as mirror:
        calls: list[int] = []
        owner: Owner = mirror.server
        owner.call_later(0, lambda: calls.append(1))
        assert calls == []
        run_until(mirror.loop, lambda: calls)


def test_a_worker_takes_no_more_sessions_than_it_has_descriptors_for() -> None:
    def part() -> str:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (104, 104))
        return f"{affordable_sessions(4000)} {affordable_sessions(5)}"

    assert in_a_child(part) == "10 5"
