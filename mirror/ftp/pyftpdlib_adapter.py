"""The only module that imports pyftpdlib, and knows the names of it that are not public.

pyftpdlib's handler keeps the state that TYPE, OPTS MLST, FEAT, PORT and EPRT work on in private attributes
(`_current_type`, `_current_facts`, `_available_facts`, `_extra_feats`, `_epsvall`), ends PORT and EPRT in the private
`_make_eport`, and has no public name for "closed" (`_closed`), "nothing to read yet" (`_RetryError`) or the events
that TLS goes back to (`_wanted_io_events`). Names like these may change with any minor version. They were read in 2.2,
and setup.cfg keeps pyftpdlib below 2.3: whoever raises that bound compares this module with the new version, and runs
the FTP tests of tests/unit and tests/integration.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, cast

from OpenSSL import SSL
from pyftpdlib.exceptions import _RetryError
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.handlers.ftps.ssl import SSLConnectionMixin
from pyftpdlib.ioloop import IOLoop

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

    from mirror.ftp.event_loop import EventLoop
    from mirror.ftp.interface import Account

PYFTPDLIB_RULES: Mapping[str, dict[str, Any]] = FTPHandler.proto_cmds


def new_event_loop() -> EventLoop:
    """Return a loop of its own."""
    return cast("EventLoop", IOLoop.factory())


def quiet_log() -> None:
    """Leave of pyftpdlib's log what is a bug; without a handler it would set up one that writes everything."""
    log = logging.getLogger("pyftpdlib")
    if not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
        log.propagate = False
    log.setLevel(logging.ERROR)


class _NoServer:
    """What pyftpdlib's handler looks for in a server of pyftpdlib's."""

    ip_map: tuple[str, ...] = ()


_NO_SERVER = _NoServer()


class ControlHandler(FTPHandler):
    """A control connection on the event loop, with those of pyftpdlib's commands that have no say over files.

    Arguments:
        connection: owned.
        account: where pyftpdlib's commands keep what a client has set.
        facts: what OPTS MLST can choose from.
        features: further lines of FEAT.

    A subclass has `active_port_given`, and reads in `handle_read`.
    """

    # no timer for each connection: the server looks after the times of all
    timeout = 0

    def __init__(
        self,
        connection: socket.socket,
        ioloop: EventLoop,
        account: Account,
        facts: Sequence[str],
        features: Sequence[str] = (),
    ) -> None:
        self.account = account
        super().__init__(connection, _NO_SERVER, ioloop=ioloop)
        self._available_facts = list(facts)
        self._current_facts = list(facts)
        self._extra_feats = list(features)

    @property
    def ended(self) -> bool:
        """Whether it is closed."""
        return bool(self._closed)

    def receive(self, limit: int) -> bytes:
        """Return what has arrived, b"" for nothing; the client's end closes it."""
        try:
            return bytes(self.recv(limit))
        except _RetryError:
            return b""

    def wait_for(self, events: int) -> None:
        """Wait for these events of the loop from now on; nothing happens when it is closed."""
        self._wanted_io_events = events
        self.modify_ioloop_events(events)

    def obey_pyftpdlib(self, word: str, argument: str) -> None:
        """Have pyftpdlib obey a command that is its own."""
        if word == "TYPE" and argument.upper().split() == ["A", "N"]:
            # the form that RFC 959, 3.1.1.5.1 takes for said, and every server has (5.1)
            argument = "A"
        getattr(self, f"ftp_{word.replace(' ', '_')}")(argument)

    def active_port_given(self, address: str, port: int) -> None:
        """Answer PORT or EPRT, whose argument is well-formed."""
        raise NotImplementedError

    def _make_eport(self, ip: str, port: int) -> None:
        self.active_port_given(ip, port)

    # --- where pyftpdlib keeps what a client has set

    @property
    def _current_type(self) -> str:
        return "a" if self.account.ascii_mode else "i"

    @_current_type.setter
    def _current_type(self, letter: str) -> None:
        self.account.ascii_mode = letter == "a"

    @property
    def _current_facts(self) -> list[str]:
        return self.account.facts

    @_current_facts.setter
    def _current_facts(self, facts: list[str]) -> None:
        self.account.facts = facts

    @property
    def _epsvall(self) -> bool:
        return self.account.epsv_only

    @_epsvall.setter
    def _epsvall(self, only: bool) -> None:
        self.account.epsv_only = only

    # --- what pyftpdlib would write to its log

    def log(self, msg: str, logfun: object = None) -> None:
        """Nothing: the access log has its own form."""

    logline = log

    def log_cmd(self, cmd: str, arg: str, respcode: int, respstr: str) -> None:
        """Nothing: the access log has its own form."""


class TlsHandler(SSLConnectionMixin):
    """To be mixed into a ControlHandler, before it: TLS once `secure_connection` was called."""

    def send(self, data: bytes) -> int:
        """Send what the connection takes; a client whose TLS is broken is no error of ours."""
        try:
            return int(super().send(data))
        except SSL.Error:
            self.close()
            return 0

    def recv(self, buffer_size: int) -> bytes:
        """Receive; nothing more when the client's TLS is broken."""
        try:
            return bytes(super().recv(buffer_size))
        except SSL.Error:
            self.close()
            return b""

    def handle_failed_ssl_handshake(self) -> None:
        """Close: no reply can be sent."""
        self.close()
