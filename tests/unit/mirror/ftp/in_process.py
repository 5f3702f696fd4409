"""FTP clients and servers in one process, on sockets of loopback: while a client waits, the server's loop runs.

with connected(owner) as (client, session):
    assert client.ask("NOOP") == "200 Still here."
"""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mirror.ftp.commands import COMMANDS
from mirror.ftp.pyftpdlib_adapter import new_event_loop
from mirror.ftp.session import Session
from mirror.settings import Settings
from mirror.shared.addresses import AddressTable
from mirror.shared.bandwidth import Bandwidth
from mirror.shared.counters import shared_counters
from mirror.worker.control import Control, Material, control_pair
from mirror.worker.serving import Loader
from mirror.worker.worker import Worker
from tests.fakes.ftp_control import RecordedLog
from tests.unit.mirror.bundle_tree import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mirror.ftp.event_loop import EventLoop
    from mirror.ftp.interface import Owner

_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_MAX_TURNS = 3000
_TURN_S = 0.01
_END_OF_REPLY = re.compile(rb"^[1-5]\d\d (?:.*)\r\n", re.MULTILINE)


def run_until(loop: EventLoop, true: Callable[[], object]) -> None:
    """Let the loop turn until a condition holds; AssertionError when it never does."""
    for _ in range(_MAX_TURNS):
        if true():
            return
        loop.loop(_TURN_S, False)
    raise AssertionError(f"never came true: {true}")


class Client:
    """The client's end of a connection; replies and content are waited for while the loop turns."""

    def __init__(self, connection: socket.socket, loop: EventLoop) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.loop = loop
        self._received = bytearray()

    def send(self, data: bytes) -> None:
        """Send bytes, all of them."""

        def sent() -> bool:
            nonlocal data
            with suppress(*_NOT_YET):
                data = data[self.connection.send(data) :]
            return not data

        run_until(self.loop, sent)

    def ask(self, line: str) -> str:
        """Send a command, and return the reply."""
        self.send(f"{line}\r\n".encode("utf-8", "surrogateescape"))
        return self.reply()

    def reply(self) -> str:
        """Return the next reply, without its last CRLF."""
        run_until(self.loop, lambda: self._receive() or _END_OF_REPLY.search(self._received))
        found = _END_OF_REPLY.search(self._received)
        assert found is not None, f"the connection has ended after {bytes(self._received)!r}"
        data = self._received[: found.end()]
        del self._received[: found.end()]
        return data.decode("utf-8", "surrogateescape").removesuffix("\r\n")

    def codes(self, count: int) -> list[int]:
        """Return the codes of the next replies."""
        return [int(self.reply()[:3]) for _ in range(count)]

    def until(self, ending: bytes) -> bytes:
        """Return what comes before a reply that is known."""
        run_until(self.loop, lambda: self._receive() or self._received.endswith(ending))
        data, self._received = self._received.removesuffix(ending), bytearray()
        return bytes(data)

    def rest(self) -> bytes:
        """Return what comes until the server closes the connection; ConnectionResetError when it resets it."""
        run_until(self.loop, self._receive)
        return bytes(self._received)

    def quiet(self) -> bool:
        """Tell whether nothing comes, however often the loop turns."""
        for _ in range(5):
            self.loop.loop(0, False)
        return not self._receive() and not self._received

    def _receive(self) -> bool:
        """Take what has come; returns whether that was the end."""
        try:
            while data := self.connection.recv(1 << 16):
                self._received += data
        except _NOT_YET:
            return False
        return True

    def data(self) -> Client:
        """Connect to a passive port that is asked for."""
        (number,) = re.findall(r"\|\|\|(\d+)\|", self.ask("EPSV"))
        host = self.connection.getpeername()[0]
        return Client(socket.create_connection((host, int(number)), timeout=30), self.loop)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Do the client's side of the handshake."""
        secure = context.wrap_socket(self.connection, do_handshake_on_connect=False, server_hostname="127.0.0.1")
        self.connection = secure

        def done() -> bool:
            try:
                secure.do_handshake()
            except _NOT_YET:
                return False
            return True

        run_until(self.loop, done)

    def close(self) -> None:
        """Close this end."""
        self.connection.close()


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Return the server's side of a connection on loopback, non-blocking, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=30)
        server, _ = listener.accept()
    server.setblocking(False)
    return server, client


@contextmanager
def connected(owner: Owner, new_session: Callable[..., Session] | None = None) -> Iterator[tuple[Client, Session]]:
    """Begin a session on a loop of its own, with a client at its other end."""
    loop = new_event_loop()
    accepted, connection = socket_pair()
    session = (new_session or Session)(accepted, owner, loop, COMMANDS)
    client = Client(connection, loop)
    try:
        yield client, session
    finally:
        client.close()
        session.close()
        loop.close()


@contextmanager
def worker_on(root: Path, material: Material | None = None, **given: Any) -> Iterator[tuple[Worker, Control]]:
    """Make a worker with a listening socket, and the supervisor's end of its line.

    Arguments:
        root: holds a bundle.
        given: settings.
    """
    settings = Settings(root, **given)
    counters = shared_counters(["ftp"])
    ours, theirs = control_pair()
    with opened(root) as handle, socket.create_server(("127.0.0.1", 0)) as listener:
        loader = Loader(handle, (), settings)
        yield (
            Worker(
                number=0,
                listeners=(listener,),
                settings=settings,
                counters=counters,
                slot=counters.slots[0],
                bandwidth=Bandwidth(settings.rate_limit) if settings.rate_limit else None,
                addresses=AddressTable(1, settings.ftp_connections),
                control=theirs,
                loader=loader,
                serving=loader.load(material or Material(), 1),
                log=RecordedLog(),
            ),
            ours,
        )
    ours.close()
    theirs.close()
