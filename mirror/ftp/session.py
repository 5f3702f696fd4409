"""One control connection: reads commands, obeys them one by one, answers. What they do is in `commands`.

Owns the order of things: a command that comes while a transfer runs or a password is checked waits, and as long as
answers are not fetched nothing more is read; so a client can neither run ahead nor fill the memory.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING, Any, ClassVar

from pyftpdlib.exceptions import _RetryError
from pyftpdlib.handlers import FTPHandler

from mirror.ftp.command_lines import TOO_LONG, Command, CommandReader, is_plain
from mirror.ftp.commands import COMMANDS
from mirror.ftp.data_connection import PlainDataConnection
from mirror.ftp.data_port import ActivePort, RefusedTargetError, scoped_address
from mirror.ftp.limits import MAX_LINE_BYTES
from mirror.ftp.listings import FACTS
from mirror.ftp.rules import AT_ANY_TIME, RULES, refusal
from mirror.ftp.transfer_log import Started, abandoned, ended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mirror.ftp.data_connection import DataConnection
    from mirror.ftp.data_port import DataPort
    from mirror.ftp.server import Server
    from mirror.ftp.transfer import DataTransfer, TransferEnd
    from mirror.shared.counters import Slot

_READ_BYTES = 16 * 1024
_COMMANDS_OF_A_TURN = 32
# answers that wait to be fetched before more commands are obeyed
_MAX_UNSENT_BYTES = 64 * 1024
_log = logging.getLogger("mirror.ftp")


class Session(FTPHandler):
    """A client.

    Arguments:
        conn: its control connection; owned.
        server: the service that has accepted it.
        ioloop: pyftpdlib's.

    Of pyftpdlib's handler it keeps what has no say over files: the parameters of the session and their commands.
    """

    # the times are looked after by the service, for all sessions at once
    timeout = 0
    proto_cmds = RULES
    protocol = "ftp"
    obeyed: ClassVar[Mapping[str, Callable[[Any, str], None]]] = COMMANDS

    def __init__(self, conn: socket.socket, server: Server, ioloop: Any) -> None:
        self.service = server
        self.slot: Slot = server.worker.slot
        self.reader = CommandReader(MAX_LINE_BYTES)
        self.directory = ""
        self.user = ""
        self.failures = 0
        self.paused = False
        self.data_port: DataPort | None = None
        self.transfer: DataTransfer | None = None
        self.started: Started | None = None
        self.active_s = self.data_port_s = time.monotonic()
        self._waiting: Command | None = None
        self._unsent = bytearray()
        self._hanging_up = False
        self._at_work = False
        super().__init__(conn, server, ioloop=ioloop)
        self._available_facts = list(FACTS)
        self._current_facts = list(FACTS)
        if self.connected:
            self.peer = scoped_address(self.addr)
            self.local = scoped_address(self.socket.getsockname())
            # nothing is sent here while a transfer runs, and a NAT in between would forget the connection
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def __repr__(self) -> str:
        return f"<Session of {self.remote_ip}>"

    @property
    def ended(self) -> bool:
        """Whether it is closed."""
        return bool(self._closed)

    @property
    def wants_tls(self) -> bool:
        """Whether passwords have to wait for AUTH TLS."""
        return False

    # --- reading

    def handle_read(self) -> None:
        """Read what has arrived, and obey it."""
        try:
            data = self.recv(_READ_BYTES)
        except _RetryError:
            return
        if data:
            self.reader.feed(data)
            self.proceed()

    def proceed(self) -> None:
        """Obey commands until there are none, one has to wait, or others are to have their turn."""
        if self._at_work or self._closed:
            return
        self._at_work = True
        try:
            for _ in range(_COMMANDS_OF_A_TURN):
                if self._closed or self._hanging_up or self.paused or len(self._unsent) > _MAX_UNSENT_BYTES:
                    break
                command = self._waiting or self.reader.next()
                if command is None:
                    break
                if self.transfer is not None and command.word not in AT_ANY_TIME:
                    self._waiting = command
                    break
                self._waiting = None
                self._obey(command)
            else:
                self.ioloop.call_later(0, self.proceed)
        finally:
            self._at_work = False
        self.settle()

    def _obey(self, command: Command) -> None:
        self.active_s = time.monotonic()
        word, argument = command
        if command is TOO_LONG:
            self.respond("500 Command line too long.")
            return
        if word != "PASS" and not (is_plain(argument) and is_plain(word)):
            self.respond("501 Control characters are not accepted.")
            return
        if word == "SITE" and argument.upper().startswith("HELP"):
            word, argument = "SITE HELP", argument[5:]
        if refused := refusal(word, argument, logged_in=self.authenticated):
            self.respond(refused)
            return
        ours = self.obeyed.get(word)
        if ours is not None:
            ours(self, argument)
        else:
            getattr(self, f"ftp_{word.replace(' ', '_')}")(argument)

    # --- answering

    def respond(self, resp: str, logfun: object = None) -> None:  # noqa: ARG002 - pyftpdlib's signature
        """Answer with a reply, the last line of it or the only one."""
        self._last_response = resp
        self._unsent += f"{resp}\r\n".encode("utf-8", "surrogateescape")
        if resp[0] in "245":
            self.slot.answered(int(resp[:3]))

    def push(self, data: str) -> None:
        """Answer with the first lines of a reply."""
        self._unsent += data.encode("utf-8", "surrogateescape")

    def settle(self) -> None:
        """Send what was answered, and wait for what comes next; ends whatever has been done to a session."""
        if self._closed or self._at_work:
            return
        if self._unsent:
            self.send_all()
        if self._closed:
            return
        if self._unsent:
            events = self.ioloop.WRITE
        elif self._hanging_up:
            self.close()
            return
        else:
            events = 0 if self.paused or self._waiting is not None else self.ioloop.READ
        self._wanted_io_events = events
        self.modify_ioloop_events(events)

    def send_all(self) -> bool:
        """Send the answers so far; tells whether the connection took them all at once."""
        sent = self.send(bytes(self._unsent))
        if not self._closed:
            del self._unsent[:sent]
        return not self._closed and not self._unsent

    def writable(self) -> bool:
        """Tell whether answers wait to be sent."""
        return bool(self._unsent)

    def handle_write(self) -> None:
        """Send more answers, and go on when they are gone."""
        self.settle()
        if not self._unsent:
            self.proceed()

    def close_when_done(self) -> None:
        """Close when all answers are sent; obeys nothing more."""
        self._hanging_up = True
        self.settle()

    def hang_up(self, reply: str) -> None:
        """Say why, and close; a client that does not even fetch that is closed at the second call."""
        if self._hanging_up:
            self.close()
            return
        self.respond(reply)
        self.close_when_done()

    # --- the data connection

    def data_connection(self, connection: socket.socket) -> DataConnection:
        """Return a data connection as it is to be used."""
        return PlainDataConnection(connection)

    def sent(self, count: int) -> None:
        """Count bytes of content."""
        self.service.count_sent(count)

    def set_data_port(self, port: DataPort | None) -> None:
        """Take a data connection to be instead of the present one; None to have none."""
        if self.data_port is not None:
            self.data_port.close()
        self.data_port = port
        self.data_port_s = time.monotonic()

    def _make_eport(self, ip: str, port: int) -> None:
        """Take where PORT or EPRT, which pyftpdlib reads, want a data connection to go; it is opened when needed."""
        try:
            self.set_data_port(ActivePort(self.local, self.peer, ip, port))
        except RefusedTargetError as error:
            self.respond(f"501 {error}")
        else:
            self.respond("200 Understood.")

    def transfer_ended(self, end: TransferEnd) -> None:
        """Answer at the end of a transfer, and obey what has waited for it."""
        self.transfer = None
        self.active_s = time.monotonic()
        ended(self, end)
        if self.service.stopping:
            self.hang_up("421 The server is stopping.")
        self.proceed()

    # --- the end

    def flush_account(self) -> None:
        """Forget who has logged in, and what was set since; failed logins stay counted."""
        self.set_data_port(None)
        self.authenticated = False
        self.username = self.user = self.directory = ""
        self._current_type = "a"
        self._restart_position = 0

    def check_times(self, now_s: float) -> None:
        """Send away who has been silent for too long. Called every now and then."""
        limits = self.service.limits
        if self.data_port is not None and now_s - self.data_port_s > limits.connect_s:
            self.set_data_port(None)
        if self.transfer is not None:
            self.transfer.check_times(now_s, limits.stall_s, limits.connect_s)
        elif not self.paused:
            longest_s = limits.idle_s if self.authenticated else limits.login_s
            if now_s - self.active_s > longest_s:
                self.hang_up("421 Nothing was heard for too long; closing.")

    def close(self) -> None:
        """Close everything."""
        if self._closed:
            return
        super().close()
        self.set_data_port(None)
        if self.transfer is not None:
            self.transfer.close()
            abandoned(self, self.transfer.sent_bytes)
            self.transfer = None
        self.service.session_ended(self)

    def handle_error(self) -> None:
        """Report an exception that nobody expected, and end this session only; called from its handler."""
        _log.exception("a session failed unexpectedly")
        self.close()

    # --- what pyftpdlib would write to its log

    def log(self, msg: str, logfun: object = None) -> None:
        """Nothing: the access log has its own form."""

    logline = log

    def log_cmd(self, cmd: str, arg: str, respcode: int, respstr: str) -> None:
        """Nothing: the access log has its own form."""
