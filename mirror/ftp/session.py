"""One control connection: reads commands, obeys them one by one, replies. What they do is in `commands`.

Owns the order of things: a command that comes while a transfer runs or a password is checked waits, and as long as
replies are not fetched nothing more is read; so a client can neither run ahead nor fill the memory.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import TYPE_CHECKING

from mirror.ftp.command_lines import TOO_LONG, Command, CommandReader, is_plain
from mirror.ftp.data_connection import PlainDataConnection
from mirror.ftp.data_port import ActivePort, RefusedTargetError, scoped_address
from mirror.ftp.interface import Account, LoggedCommand, TlsState
from mirror.ftp.limits import MAX_LINE_BYTES
from mirror.ftp.listings import FACTS
from mirror.ftp.pyftpdlib_adapter import ControlHandler
from mirror.ftp.rules import AT_ANY_TIME, RULES, refusal
from mirror.ftp.transfer import DataTransfer
from mirror.ftp.transfer_log import record_abandoned, record_end, refuse
from mirror.shared.counters import Field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mirror.ftp.content import Content
    from mirror.ftp.data_connection import DataConnection
    from mirror.ftp.data_port import DataPort
    from mirror.ftp.event_loop import EventLoop
    from mirror.ftp.interface import CommandFunction, Owner
    from mirror.ftp.transfer import TransferEnd
    from mirror.tree.opening import NotTheCheckedFileError

_READ_BYTES = 16 * 1024
_COMMANDS_OF_A_TURN = 32
# replies that wait to be fetched before more commands are obeyed
_MAX_UNSENT_BYTES = 64 * 1024
_log = logging.getLogger("mirror.ftp")


class Session(ControlHandler):
    """A client (`interface.Control`).

    Arguments:
        connection: its control connection; owned.
        owner: the server that has accepted it.
        commands: those that are not left to pyftpdlib.
        features: further lines of FEAT.
    """

    proto_cmds = RULES
    tls: TlsState = "unavailable"

    def __init__(
        self,
        connection: socket.socket,
        owner: Owner,
        loop: EventLoop,
        commands: Mapping[str, CommandFunction],
        features: Sequence[str] = (),
    ) -> None:
        self.owner = owner
        self.data_port: DataPort | None = None
        self.transfer: DataTransfer | None = None
        self._commands = commands
        self._reader = CommandReader(MAX_LINE_BYTES)
        self._waiting: Command | None = None
        self._unsent = bytearray()
        self._command = LoggedCommand("", "", "")  # of the running transfer
        self._active_s = self._data_port_s = time.monotonic()
        self._paused = self._hanging_up = self._obeying = False
        super().__init__(connection, loop, Account(), FACTS, features)
        if self.connected:
            self.peer = scoped_address(self.addr)
            self.local = scoped_address(self.socket.getsockname())
            # nothing is sent here while a transfer runs, and a NAT in between would forget the connection
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def __repr__(self) -> str:
        return f"<Session of {self.remote_ip}>"

    # --- reading

    def handle_read(self) -> None:
        """Read what has arrived, and obey it."""
        if data := self.receive(_READ_BYTES):
            self._reader.feed(data)
            self.proceed()

    def proceed(self) -> None:
        """Obey commands until there are none, one has to wait, or others are to have their turn."""
        if self._obeying or self.ended:
            return
        self._obeying = True
        try:
            for _ in range(_COMMANDS_OF_A_TURN):
                if self.ended or self._hanging_up or self._paused or len(self._unsent) > _MAX_UNSENT_BYTES:
                    break
                command = self._waiting or self._reader.next()
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
            self._obeying = False
        self.settle()

    def _obey(self, command: Command) -> None:
        self._active_s = time.monotonic()
        word, argument = command
        if command is TOO_LONG:
            self.respond("500 Command line too long.")
            return
        if word != "PASS" and not (is_plain(argument) and is_plain(word)):
            self.respond("501 Control characters are not accepted.")
            return
        if word == "SITE" and argument.upper().startswith("HELP"):
            word, argument = "SITE HELP", argument[5:]
        if refused := refusal(word, argument, logged_in=self.account.logged_in):
            self.respond(refused)
            return
        function = self._commands.get(word)
        if function is not None:
            function(self, self.account, self.owner, argument)
        else:
            self.obey_pyftpdlib(word, argument)

    def pause(self) -> None:
        """Obey nothing more until `resume`: a reply is still to come."""
        self._paused = True

    def resume(self) -> None:
        """Send what was answered meanwhile, and obey what has waited."""
        self._paused = False
        self.proceed()

    # --- replying

    def respond(self, reply: str, logfun: object = None) -> None:  # noqa: ARG002 - pyftpdlib's signature
        """Send a reply, the last line of it or the only one."""
        self._unsent += f"{reply}\r\n".encode("utf-8", "surrogateescape")
        if reply[0] in "245":
            self.owner.slot.answered(int(reply[:3]))

    def push(self, data: str) -> None:
        """Send the first lines of a reply."""
        self._unsent += data.encode("utf-8", "surrogateescape")

    def settle(self) -> None:
        """Send the replies, and wait for what comes next; ends whatever has been done to a session."""
        if self.ended or self._obeying:
            return
        if self._unsent and not self.send_all():
            self.wait_for(self.ioloop.WRITE)
        elif self._hanging_up:
            self.close()
        else:
            self.wait_for(0 if self._paused or self._waiting is not None else self.ioloop.READ)

    def send_all(self) -> bool:
        """Send the replies so far; returns whether the connection took them all at once, and is still open."""
        sent = self.send(bytes(self._unsent))
        if not self.ended:
            del self._unsent[:sent]
        return not self.ended and not self._unsent

    def writable(self) -> bool:
        """Tell whether replies wait to be sent."""
        return bool(self._unsent)

    def handle_write(self) -> None:
        """Send more replies, and go on when they are gone."""
        self.settle()
        if not self._unsent:
            self.proceed()

    def close_when_done(self) -> None:
        """Close when all replies are sent; obeys nothing more."""
        self._hanging_up = True
        self.settle()

    def hang_up(self, reply: str) -> None:
        """Send a reply, and close; a client that does not even fetch that is closed at the second call."""
        if self._hanging_up:
            self.close()
            return
        self.respond(reply)
        self.close_when_done()

    def start_tls(self) -> None:
        """Answer AUTH; only a session with a certificate can (`tls.SecureSession`), and only it is asked to."""
        raise NotImplementedError

    # --- transfers

    def set_data_port(self, port: DataPort | None) -> None:
        """Take another port for the next data connection, None for none."""
        if self.data_port is not None:
            self.data_port.close()
        self.data_port = port
        self._data_port_s = time.monotonic()

    def active_port_given(self, address: str, port: int) -> None:
        """Take where PORT or EPRT want the next data connection to go; it is opened when needed."""
        try:
            self.set_data_port(ActivePort(self.local, self.peer, address, port))
        except RefusedTargetError as error:
            self.respond(f"501 {error}")
        else:
            self.respond("200 Understood.")

    @property
    def sent_bytes(self) -> int | None:
        """How much of its content the running transfer has sent; None without one."""
        return None if self.transfer is None else self.transfer.sent_bytes

    def begin(self, content: Content, command: LoggedCommand, announcement: str) -> None:
        """Announce a transfer and start it, or refuse it for want of a data port; owns the content.

        The announcement is sent together with the end's reply when there is nothing to wait for in between.
        """
        port, self.data_port = self.data_port, None
        if port is None:
            content.close()
            refuse(self, self.owner, command, 425, "Use EPSV or PASV first.")
            return
        self.respond(f"150 {announcement}")
        self._command = command
        self.transfer = DataTransfer(self.ioloop, port, content, self, self.owner.bandwidth)
        self.transfer.start()

    def abort(self, code: int, text: str) -> bool:
        """End the running transfer with a reply; False without one."""
        if self.transfer is None:
            return False
        self.transfer.give_up(code, text)
        return True

    def data_connection(self, connection: socket.socket) -> DataConnection:
        """Return a data connection as it is to be used."""
        return PlainDataConnection(connection)

    def sent(self, count: int) -> None:
        """Count bytes of content."""
        self.owner.slot.add(Field.SENT_BYTES, count)

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        """Have everybody told that the file was written to while it was sent."""
        self.owner.file_changed(error)

    def transfer_ended(self, end: TransferEnd) -> None:
        """Answer at the end of a transfer, and obey what has waited for it."""
        self.transfer = None
        self._active_s = time.monotonic()
        record_end(self, self.owner, self._command, end)
        if self.owner.stopping:
            self.hang_up("421 The server is stopping.")
        self.proceed()

    # --- the end

    def check_times(self, now_s: float) -> None:
        """End a session that has been silent for too long. Called every now and then, with the monotonic time."""
        limits = self.owner.limits
        if self.data_port is not None and now_s - self._data_port_s > limits.connect_s:
            self.set_data_port(None)
        if self.transfer is not None:
            self.transfer.check_times(now_s, limits.stall_s, limits.connect_s)
        elif not self._paused:
            longest_s = limits.idle_s if self.account.logged_in else limits.login_s
            if now_s - self._active_s > longest_s:
                self.hang_up("421 Nothing was heard for too long; closing.")

    def close(self) -> None:
        """Close everything."""
        if self.ended:
            return
        super().close()
        self.set_data_port(None)
        if self.transfer is not None:
            self.transfer.close()
            record_abandoned(self, self.owner, self._command, self.transfer.sent_bytes)
            self.transfer = None
        self.owner.session_ended(self)

    def handle_error(self) -> None:
        """Log an exception that nobody expected, and end this session only; called from its handler."""
        _log.exception("a session failed unexpectedly")
        self.close()
