"""What a command sees: the client's account, its control connection, and the server that this belongs to.

The implementations are `session.Session` and `server.FtpServer`; the tests of the commands have their own. Owns no
behaviour but what logging out means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from mirror.ftp.listings import FACTS

if TYPE_CHECKING:
    from mirror.ftp.content import Content
    from mirror.ftp.data_port import DataPort, ScopedAddress
    from mirror.ftp.limits import Limits
    from mirror.settings import Settings
    from mirror.shared.bandwidth import Bandwidth
    from mirror.shared.counters import Slot
    from mirror.tree.opening import NotTheCheckedFileError
    from mirror.tree.served import File
    from mirror.tree.site import Site
    from mirror.worker.access_log import AccessLog
    from mirror.worker.executor import Executor
    from mirror.worker.users import Users

TlsState = Literal["unavailable", "offered", "in use"]


@dataclass(slots=True)
class Account:
    """What one client has said of itself, and what it has set.

    Arguments:
        name: given with USER, "" before that.
        user: logged in as, "" for nobody and for anonymous.
        logged_in: whether it has logged in, anonymously or not.
        failures: wrong passwords on this connection.
        directory: the current one, below the top, without slashes at its ends.
        restart_at: where the next RETR begins, in bytes (REST).
        ascii_mode: TYPE A.
        facts: what MLSD and MLST show (OPTS MLST).
        epsv_only: EPSV ALL was sent.
        buffer_size_agreed: PBSZ was sent.
        protects_data: PROT P was sent.
    """

    name: str = ""
    user: str = ""
    logged_in: bool = False
    failures: int = 0
    directory: str = ""
    restart_at: int = 0
    ascii_mode: bool = True
    facts: list[str] = field(default_factory=lambda: list(FACTS))
    epsv_only: bool = False
    buffer_size_agreed: bool = False
    protects_data: bool = False

    def log_out(self) -> None:
        """Forget who has logged in, and what was set since; failed logins stay counted."""
        self.name = self.user = self.directory = ""
        self.logged_in = False
        self.restart_at = 0
        self.ascii_mode = True
        self.buffer_size_agreed = self.protects_data = False


class LoggedCommand(NamedTuple):
    """A command that has a line in the access log.

    Arguments:
        method: the command.
        path: of the tree, without slashes at its ends.
        bundle: short id, "" for none.
        range: `first-last`, "" for all.
    """

    method: str
    path: str
    bundle: str
    range: str = ""


class Control(Protocol):
    """A control connection."""

    account: Account
    peer: ScopedAddress
    local: ScopedAddress
    data_port: DataPort | None
    """Where the next transfer's data connection comes from."""
    tls: TlsState
    """`in use` from the reply to AUTH on."""

    @property
    def ended(self) -> bool:
        """Whether it is closed."""

    @property
    def sent_bytes(self) -> int | None:
        """How much of its content the running transfer has sent; None without one."""

    def respond(self, reply: str) -> None:
        """Send a reply, the last line of it or the only one, without its CRLF."""

    def push(self, data: str) -> None:
        """Send the first lines of a reply; each has its CRLF."""

    def set_data_port(self, port: DataPort | None) -> None:
        """Take another port for the next data connection, None for none; the present one is closed."""

    def begin(self, content: Content, command: LoggedCommand, announcement: str) -> None:
        """Announce a transfer and start it, or refuse it for want of a data port; owns the content."""

    def abort(self, code: int, text: str) -> bool:
        """End the running transfer with a reply; False without one."""

    def pause(self) -> None:
        """Obey nothing more until `resume`: a reply is still to come."""

    def resume(self) -> None:
        """Send what was answered meanwhile, and obey what has waited."""

    def start_tls(self) -> None:
        """Answer AUTH and begin the handshake; only where TLS is offered."""

    def close_when_done(self) -> None:
        """Close when all replies are sent; nothing more is obeyed."""


class Owner(Protocol):
    """The server of a worker."""

    limits: Limits
    settings: Settings
    slot: Slot
    """The worker's counters."""
    log: AccessLog
    bandwidth: Bandwidth | None
    stopping: bool
    """Whether sessions end with their running transfer."""

    @property
    def passwords(self) -> Executor:
        """What checks passwords, one after the other."""

    @property
    def site(self) -> Site:
        """What is served now."""

    @property
    def users(self) -> Users | None:
        """Who may log in now, None for anyone."""

    def recheck(self, file: File, error: NotTheCheckedFileError, then: Callable[[File | None], None]) -> None:
        """Have a file hashed again that could not be opened as the one that was checked."""

    def file_changed(self, error: NotTheCheckedFileError) -> None:
        """Take note that a file was written to while it was sent, and have it hashed again."""

    def report(self, what: str, *, once: bool = False) -> None:
        """Write a line to the operator's log; with `once`, only the first time."""

    def welcome(self) -> str:
        """Return the text of the reply to a login."""

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call a function once, on the event loop."""

    def login_wait_s(self, address: str) -> float:
        """Return how long an address has to wait before its password is looked at, for too many wrong ones."""

    def login_ended(self, address: str, *, right: bool) -> None:
        """Take note of what a password was that was looked at."""

    def admit_port(self, address: str) -> bool:
        """Count a passive port for an address, unless it has its share of them."""

    def release_port(self, address: str) -> None:
        """Count an admitted port no longer."""

    def session_ended(self, session: Control) -> None:
        """Forget a session; called once by each."""


CommandFunction = Callable[[Control, Account, Owner, str], None]
