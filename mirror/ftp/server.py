"""Accepts control connections for one worker: who may come in, how many, and when the last one has to leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mirror.ftp.data_port import scoped_address
from mirror.ftp.limits import Limits, affordable_sessions
from mirror.ftp.listening import Listeners
from mirror.ftp.thread_work import BackgroundThread
from mirror.shared.counters import Field, State
from mirror.worker.allow import is_allowed
from mirror.worker.operator_log import log_line
from mirror.worker.rechecking import RECHECK_S, Rechecks

if TYPE_CHECKING:
    import socket

    from mirror.ftp.event_loop import EventLoop
    from mirror.ftp.interface import Control, Owner
    from mirror.ftp.session import Session
    from mirror.tree.opening import NotTheCheckedFileError
    from mirror.tree.served import File
    from mirror.tree.site import Site
    from mirror.worker.users import Users
    from mirror.worker.worker import Worker

NewSession = Callable[["socket.socket", "Owner", "EventLoop"], "Session"]


class FtpServer:
    """All sessions of one worker (`interface.Owner`).

    Arguments:
        new_session: begins a session on a connection that was accepted; may be replaced, for those that follow.
    """

    def __init__(self, worker: Worker, loop: EventLoop, limits: Limits, new_session: NewSession) -> None:
        self.limits = limits
        self.settings = worker.settings
        self.slot = worker.slot
        self.log = worker.log
        self.bandwidth = worker.bandwidth
        self.passwords = BackgroundThread(loop)
        self.stopping = False
        self.sessions: set[Session] = set()
        self.new_session = new_session
        self._worker = worker
        self._loop = loop
        self._hashing = BackgroundThread(loop)
        self._rechecks = Rechecks(worker, self._hashing)
        self._max_sessions = affordable_sessions(limits.sessions)
        self._reported: set[str] = set()
        is_anothers = partial(worker.counters.has_idler, worker.slot)
        self._listeners = Listeners(worker.listeners, self._accepted, loop, is_anothers, limits.looks)
        loop.call_every(limits.sweep_s, self._sweep)
        loop.call_every(RECHECK_S, self._rechecks.sweep)

    # --- who comes and goes

    def _accepted(self, connection: socket.socket, name: Any) -> None:
        """Begin a session, or refuse it and say why."""
        peer = scoped_address(name).address
        self.slot.add(Field.CONNECTIONS)
        if not is_allowed(peer, self.settings.allow):
            self._refuse(connection, "421 Your address may not connect.")
        elif len(self.sessions) >= self._max_sessions:
            self._refuse(connection, "421 Too many clients; try again later.")
        elif not self._worker.addresses.admit(self._worker.number, peer):
            self._refuse(connection, "421 Too many connections from your address.")
        elif not self._admit_session():
            self._worker.addresses.leave(self._worker.number, peer)
            self._refuse(connection, "421 Too many clients; try again later.")
        else:
            self._admit(connection, peer)

    def _admit(self, connection: socket.socket, peer: str) -> None:
        session = self.new_session(connection, self, self._loop)
        if session.ended:
            # closed by the client already
            connection.close()
            self._leave(peer)
            return
        self.sessions.add(session)
        self.slot.add(Field.OPEN_CONNECTIONS)
        session.respond("220 Ready.")
        session.settle()

    def _admit_session(self) -> bool:
        shares = self._worker.ftp_shares
        return shares is None or shares.admit_session(self._worker.number)

    def _leave(self, peer: str) -> None:
        self._worker.addresses.leave(self._worker.number, peer)
        if self._worker.ftp_shares is not None:
            self._worker.ftp_shares.end_session(self._worker.number)

    def _refuse(self, connection: socket.socket, reply: str) -> None:
        self.slot.add(Field.REFUSED_CONNECTIONS)
        self.slot.answered(421)
        connection.setblocking(False)
        try:
            connection.send(f"{reply}\r\n".encode())
        except OSError:
            return
        finally:
            connection.close()

    def login_wait_s(self, address: str) -> float:
        """Return how long an address has to wait before its password is looked at, for too many wrong ones."""
        return self._worker.logins.wait_s(address)

    def login_ended(self, address: str, *, right: bool) -> None:
        """Take note of what a password was that was looked at."""
        logins = self._worker.logins
        (logins.succeeded if right else logins.failed)(address)

    def admit_port(self, address: str) -> bool:
        """Count a passive port for an address, unless it has its share of them."""
        shares = self._worker.ftp_shares
        return shares is None or shares.ports.admit(self._worker.number, address)

    def release_port(self, address: str) -> None:
        """Count an admitted port no longer."""
        if self._worker.ftp_shares is not None:
            self._worker.ftp_shares.ports.leave(self._worker.number, address)

    def session_ended(self, session: Control) -> None:
        """Forget a session; called once by each."""
        if session in self.sessions:
            self.sessions -= {session}
            self.slot.add(Field.OPEN_CONNECTIONS, -1)
            self._leave(session.peer.address)
            self._listeners.ended_one()

    # --- what sessions and commands ask for

    @property
    def site(self) -> Site:
        """What is served now."""
        return self._worker.serving.site

    @property
    def users(self) -> Users | None:
        """Who may log in now, None for anyone."""
        return self._worker.serving.users

    def reloaded(self) -> None:
        """Look at what is served now: what a comparison found wrong may be in it again."""
        self._rechecks.sweep()

    def recheck(self, file: File, error: NotTheCheckedFileError, then: Callable[[File | None], None]) -> None:
        """Have a file hashed again that could not be opened as the one that was checked; see `Rechecks.recheck`."""
        self._rechecks.recheck(file, error, then)

    def file_changed(self, error: NotTheCheckedFileError) -> None:
        """Take note that a file was written to while it was sent, and have it hashed again."""
        self._rechecks.spoiled(error)

    def report(self, what: str, *, once: bool = False) -> None:
        """Write a line to the operator's log; with `once`, only the first time."""
        if once and what in self._reported:
            return
        if once:
            self._reported.add(what)
        log_line(what)

    def welcome(self) -> str:
        """Return the text of the reply to a login."""
        current = self.site.current
        return "Logged in." if current is None else f"Logged in. This is {current.title}, bundle {current.short_id}."

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call a function once, on the event loop."""
        self._loop.call_later(seconds, call)

    # --- times and the end

    def _sweep(self) -> None:
        now_s = time.monotonic()
        for session in list(self.sessions):
            try:
                session.check_times(now_s)
            except Exception:  # noqa: BLE001 - one session must not keep the others from being looked at, for ever
                session.handle_error()

    def stop(self, patience_s: float = 0) -> None:
        """Take no new connection, and end the sessions without a running transfer; transfers go on.

        Arguments:
            patience_s: for how long sessions may go on first, and begin further transfers.
        """
        self.slot.set(Field.STATE, State.STOPPING)
        self._listeners.close()
        if patience_s:
            self._loop.call_later(patience_s, self.stop)
            return
        self.stopping = True
        for session in list(self.sessions):
            if session.transfer is None:
                session.hang_up("421 The server is stopping.")

    def close(self) -> None:
        """End all sessions and their transfers, and give everything back."""
        for session in list(self.sessions):
            session.abort(426, "Transfer cut: the server is stopping.")
            session.close()
        self.passwords.close()
        self._hashing.close()
