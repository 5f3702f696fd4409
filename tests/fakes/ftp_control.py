"""A control connection and a server for FTP commands, without sockets: `Control` and `Owner` of `mirror.ftp.interface`.

mirror = FakeOwner(site)
client = FakeControl()
client.obey(mirror, "RETR", "file")
assert client.replies == ["150 Sending …"]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror.ftp.commands import COMMANDS
from mirror.ftp.data_port import ScopedAddress
from mirror.ftp.interface import Account
from mirror.ftp.limits import Limits
from mirror.settings import Settings
from mirror.shared.counters import Slot, shared_counters
from mirror.shared.failed_logins import FailedLogins
from mirror.tree.site import Site
from mirror.worker.access_log import AccessLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.ftp.content import Content
    from mirror.ftp.data_port import DataPort
    from mirror.ftp.interface import Control, LoggedCommand, TlsState
    from mirror.shared.bandwidth import Bandwidth
    from mirror.tree.opening import NotTheCheckedFileError
    from mirror.tree.served import File
    from mirror.worker.access_log import Transfer
    from mirror.worker.users import Users

LOOPBACK = ScopedAddress("127.0.0.1", 0)


class Begun(NamedTuple):
    """A transfer that a command has begun, with all of its content."""

    content: bytes
    command: LoggedCommand
    announcement: str


@dataclass
class FakeControl:
    """Remembers what a command does to its connection.

    Arguments:
        sent_bytes: of a running transfer, None for none.
        replies: what was sent, whole replies of several lines as one text.
    """

    account: Account = field(default_factory=Account)
    peer: ScopedAddress = LOOPBACK
    local: ScopedAddress = LOOPBACK
    data_port: DataPort | None = None
    tls: TlsState = "unavailable"
    ended: bool = False
    sent_bytes: int | None = None
    replies: list[str] = field(default_factory=list)
    begun: list[Begun] = field(default_factory=list)
    aborted: list[str] = field(default_factory=list)
    paused: bool = False
    closing: bool = False
    shaking_hands: bool = False
    _lines: str = ""

    def obey(self, owner: FakeOwner, word: str, argument: str = "") -> str:
        """Have a command obeyed, and return the reply; "" when it is still to come."""
        before = len(self.replies)
        COMMANDS[word](self, self.account, owner, argument)
        return "\n".join(self.replies[before:])

    def respond(self, reply: str) -> None:
        self.replies.append(self._lines + reply)
        self._lines = ""

    def push(self, data: str) -> None:
        self._lines += data

    def set_data_port(self, port: DataPort | None) -> None:
        if self.data_port is not None:
            self.data_port.close()
        self.data_port = port

    def begin(self, content: Content, command: LoggedCommand, announcement: str) -> None:
        whole = bytearray()
        while content.remaining != 0:
            data = content.read(1 << 16)
            content.advance(len(data))
            whole += data
        content.close()
        self.begun.append(Begun(bytes(whole), command, announcement))

    def abort(self, code: int, text: str) -> bool:
        if self.sent_bytes is None:
            return False
        self.sent_bytes = None
        self.respond(f"{code} {text}")
        return True

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        assert self.paused, "resumed, but nothing has waited"
        self.paused = False

    def start_tls(self) -> None:
        assert self.tls == "offered", "asked to begin TLS where it is not offered"
        self.tls = "in use"
        self.shaking_hands = True

    def close_when_done(self) -> None:
        self.closing = True


@dataclass
class HandThread:
    """A thread that works when it is told to."""

    waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = field(default_factory=list)

    def run(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self.waiting.append((work, then))

    def work(self) -> None:
        """Do what waits."""
        while self.waiting:
            work, then = self.waiting.pop(0)
            then(work())


class RecordedLog(AccessLog):
    """An access log that is read as values."""

    def __init__(self) -> None:
        super().__init__(None, "json")
        self.transfers: list[Transfer] = []

    @property
    def wanted(self) -> bool:
        return True

    def add(self, transfer: Transfer) -> None:
        self.transfers.append(transfer)


def _slot() -> Slot:
    return shared_counters(["ftp"]).slots[0]


@dataclass
class FakeOwner:
    """Remembers what commands and sessions tell their server.

    Arguments:
        rechecked: paths of files that could not be opened as they were checked.
        found_again: what they turn out to be.
        changed: paths of files that were written to while they were sent.
        ports: addresses with a passive port, once for each.
        reported: the operator's log.
        later: what is to be called, with the seconds until then.
    """

    site: Site = field(default_factory=lambda: Site((), None))
    users: Users | None = None
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    settings: Settings = Settings(Path("/"))  # noqa: RUF009 - frozen
    slot: Slot = field(default_factory=_slot)
    log: AccessLog = field(default_factory=RecordedLog)
    bandwidth: Bandwidth | None = None
    stopping: bool = False
    passwords: HandThread = field(default_factory=HandThread)
    rechecked: list[str] = field(default_factory=list)
    found_again: File | None = None
    changed: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    logins: FailedLogins = field(default_factory=FailedLogins)
    ports: list[str] = field(default_factory=list)
    max_ports: int = 100
    ended_sessions: list[Control] = field(default_factory=list)

    @property
    def transfers(self) -> list[Transfer]:
        """The access log."""
        assert isinstance(self.log, RecordedLog)
        return self.log.transfers

    def file_changed(self, error: NotTheCheckedFileError) -> None:
        self.changed.append(error.file.path)

    def recheck(self, file: File, error: NotTheCheckedFileError, then: Callable[[File | None], None]) -> None:
        assert error.file is file
        self.rechecked.append(file.path)
        then(self.found_again)

    def report(self, what: str, *, once: bool = False) -> None:
        if not (once and what in self.reported):
            self.reported.append(what)

    def welcome(self) -> str:
        return "Welcome."

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.later.append((seconds, call))

    def wait(self) -> float:
        """Let the time of all later calls come, and return the seconds of the first."""
        calls, self.later = self.later, []
        for _, call in calls:
            call()
        return calls[0][0]

    def login_wait_s(self, address: str) -> float:
        return self.logins.wait_s(address)

    def login_ended(self, address: str, *, right: bool) -> None:
        (self.logins.succeeded if right else self.logins.failed)(address)

    def admit_port(self, address: str) -> bool:
        admitted = len(self.ports) < self.max_ports
        self.ports += [address] * admitted
        return admitted

    def release_port(self, address: str) -> None:
        self.ports.remove(address)

    def session_ended(self, session: Control) -> None:
        self.ended_sessions.append(session)
