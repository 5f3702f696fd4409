"""Accepts control connections for one worker: who may come in, how many, and when the last one has to leave."""

from __future__ import annotations

import errno
import logging
import time
from typing import TYPE_CHECKING, Any

from mirror.ftp.data_port import scoped_address
from mirror.ftp.limits import Limits, affordable_sessions
from mirror.ftp.rechecking import Rechecks
from mirror.ftp.session import Session
from mirror.ftp.thread_work import BackgroundThread
from mirror.shared.counters import Field, State
from mirror.worker.allow import is_allowed
from mirror.worker.operator_log import tell

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from mirror.ftp.tls import Tls
    from mirror.worker.worker import Worker

_ACCEPTS_OF_A_TURN = 32
# after running out of descriptors
_ACCEPT_AGAIN_S = 0.2
_OUT_OF_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log = logging.getLogger("mirror.ftp")


class Server:
    """All sessions of one worker.

    Arguments:
        ioloop: pyftpdlib's.
        tls: for sessions that begin from now on, None without a certificate.
    """

    # what pyftpdlib's handler looks for in its server
    ip_map: tuple[str, ...] = ()

    def __init__(self, worker: Worker, ioloop: Any, limits: Limits, tls: Tls | None) -> None:
        self.worker = worker
        self.ioloop = ioloop
        self.limits = limits
        self.tls = tls
        self.sessions: set[Session] = set()
        self.passwords = BackgroundThread(ioloop)
        self._hashing = BackgroundThread(ioloop)
        self.rechecks = Rechecks(worker, self._hashing)
        self.stopping = False
        self._max_sessions = affordable_sessions(limits.sessions)
        self._reported: set[str] = set()
        self._listeners = [Listener(listener, self._accepted, ioloop) for listener in worker.listeners]
        ioloop.call_every(limits.sweep_s, self._sweep)

    def _accepted(self, connection: socket.socket, name: Any) -> None:
        """Begin a session, or refuse it and say why."""
        peer = scoped_address(name).address
        self.worker.slot.add(Field.CONNECTIONS)
        if not is_allowed(peer, self.worker.settings.allow):
            self._refuse(connection, "421 Your address may not connect.")
        elif len(self.sessions) >= self._max_sessions:
            self._refuse(connection, "421 Too many clients; try again later.")
        elif not self.worker.addresses.admit(self.worker.number, peer):
            self._refuse(connection, "421 Too many connections from your address.")
        else:
            self._admit(connection, peer)

    def _admit(self, connection: socket.socket, peer: str) -> None:
        begin = Session if self.tls is None else self.tls.session
        session = begin(connection, self, self.ioloop)
        if session.ended:
            # closed by the client already
            connection.close()
            self.worker.addresses.leave(self.worker.number, peer)
            return
        self.sessions.add(session)
        self.worker.slot.add(Field.OPEN_CONNECTIONS)
        session.respond("220 Ready.")
        session.settle()

    def _refuse(self, connection: socket.socket, reply: str) -> None:
        self.worker.slot.add(Field.REFUSED_CONNECTIONS)
        self.worker.slot.answered(421)
        connection.setblocking(False)
        try:
            connection.send(f"{reply}\r\n".encode())
        except OSError:
            return
        finally:
            connection.close()

    def session_ended(self, session: Session) -> None:
        """Forget a session; called once by each."""
        if session in self.sessions:
            self.sessions.discard(session)
            self.worker.slot.add(Field.OPEN_CONNECTIONS, -1)
            self.worker.addresses.leave(self.worker.number, session.peer.address)

    def count_sent(self, count: int) -> None:
        """Count bytes of content."""
        self.worker.slot.add(Field.SENT_BYTES, count)

    def welcome(self) -> str:
        """Return the text of the reply to a login."""
        current = self.worker.serving.site.current
        return "Logged in." if current is None else f"Logged in. This is {current.title}, bundle {current.short_id}."

    def report(self, what: str, *, once: bool = False) -> None:
        """Tell the operator something; with `once`, only the first time."""
        if once and what in self._reported:
            return
        if once:
            self._reported.add(what)
        tell(what)

    def _sweep(self) -> None:
        now_s = time.monotonic()
        for session in list(self.sessions):
            try:
                session.check_times(now_s)
            except Exception:  # noqa: BLE001 - one session must not keep the others from being looked at, for ever
                session.handle_error()

    def stop(self) -> None:
        """Take no new connection, and end the sessions without a running transfer; transfers go on."""
        self.stopping = True
        self.worker.slot.set(Field.STATE, State.STOPPING)
        for listener in self._listeners:
            listener.close()
        for session in list(self.sessions):
            if session.transfer is None:
                session.hang_up("421 The server is stopping.")

    def _abort_transfers(self) -> None:
        """End all transfers that still run, and all sessions."""
        for session in list(self.sessions):
            if session.transfer is not None:
                session.transfer.give_up(426, "Transfer cut: the server is stopping.")
            session.close()

    def close(self) -> None:
        """Give everything back."""
        self._abort_transfers()
        self.passwords.close()
        self._hashing.close()


class Listener:
    """A listening socket on pyftpdlib's event loop; the supervisor has made it, and keeps it open.

    Arguments:
        accepted: is given each new connection and its peer's name.
    """

    def __init__(self, listener: socket.socket, accepted: Callable[[socket.socket, Any], None], ioloop: Any) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._accepted = accepted
        self._ioloop = ioloop
        self._fileno = listener.fileno()
        self._open = True
        ioloop.register(self._fileno, self, ioloop.READ)

    def readable(self) -> bool:
        """Tell whether a read event is wanted."""
        return True

    def writable(self) -> bool:
        """Tell whether a write event is wanted."""
        return False

    def handle_read_event(self) -> None:
        """Accept the connections that wait; without a descriptor left, wait a little instead of trying without end."""
        for _ in range(_ACCEPTS_OF_A_TURN):
            try:
                connection, name = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_ROOM:
                    self._ioloop.modify(self._fileno, 0)
                    self._ioloop.call_later(_ACCEPT_AGAIN_S, self._accept_again)
                    return
                continue
            self._accepted(connection, name)

    def _accept_again(self) -> None:
        if self._open:
            self._ioloop.modify(self._fileno, self._ioloop.READ)

    def handle_close(self) -> None:
        """Nothing to do: a listening socket has no other side."""

    def handle_error(self) -> None:
        """Report an exception that nobody expected, and go on; called from its handler."""
        _log.exception("a connection could not be taken")

    def close(self) -> None:
        """Accept no more connections; the socket stays the supervisor's."""
        if self._open:
            self._open = False
            self._ioloop.unregister(self._fileno)
