"""One host, as far as changes touch it: commands, files, processes, ports, time, and what answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

COMMAND_WITHIN_S = 300.0
NO_ENVIRONMENT: Mapping[str, str] = {}


class CommandResult(NamedTuple):
    """How a command ended; 127 when there is no such program, 124 when it did not end in time.

    Arguments:
        stopped: it was killed because it printed what it was not to print.
    """

    code: int
    stdout: str
    stderr: str
    stopped: bool = False


class HttpAnswer(NamedTuple):
    """What was answered over HTTP.

    Arguments:
        date: the time of day there, in seconds since 1970; None where it is not told.
    """

    status: int
    text: str
    date: float | None = None


class FileStatus(NamedTuple):
    """What there is at a path.

    Arguments:
        kind: "file", "directory", "link" or "other".
        mode: permission bits.
        device: two paths of one device may be names of one file.
        links: how many names the file has.
    """

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    device: int
    links: int


class Process(NamedTuple):
    """A process.

    Arguments:
        name: as the kernel has it (`comm`), at most 15 bytes; processes that have ended and nobody reaped have one too.
        state: the kernel's letter; "Z" for one that has ended.
        program: the file that it runs; "" where that cannot be told.
    """

    pid: int
    name: str
    state: str
    program: str


class ListeningPort(NamedTuple):
    """A TCP port that somebody listens on.

    Arguments:
        pid: of the listening process; 0 where that cannot be told.
    """

    address: str
    port: int
    pid: int


class FileOwner(NamedTuple):
    """Whose a file is."""

    uid: int
    gid: int


class Host(Protocol):
    """Commands and files of one host. Files raise StorageError."""

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] = NO_ENVIRONMENT,
        within_s: float = COMMAND_WITHIN_S,
        stop_at: bytes = b"",
        shows_progress: bool = False,
    ) -> CommandResult:
        """Run a program with these arguments, without a shell, and wait for its end.

        Arguments:
            stdin: all that it reads.
            environment: beside what this process has.
            within_s: how long it may run, in seconds; what it started ends with it then.
            stop_at: end it, and what it has started, as soon as it prints this; b"" for never.
            shows_progress: what it prints to stderr goes to this process's.
        """

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None when there is no such file."""

    def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
        """Replace a file in one step, making the directories above it; its SELinux label stays.

        Arguments:
            mode: None for the one that the file has; a new one is then 0644.
            owner: None for the one that the file has; a new one is then this process's.
        """

    def copy(self, source: str, path: str, mode: int) -> None:
        """Replace a file by a copy of another one in one step, making the directories above it."""

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file in hex; "" when there is no such file."""

    def status(self, path: str) -> FileStatus | None:
        """Return what is at a path, a link unfollowed; None for nothing."""

    def resolved(self, path: str) -> str:
        """Return where a link leads in the end, which `write` replaces; any other path as it is."""

    def names(self, path: str) -> tuple[str, ...]:
        """Return what a directory holds, sorted; () when there is no such directory."""

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when it is gone."""

    def make_directory(self, path: str, mode: int) -> None:
        """Make a directory and those above it; one that is there keeps its mode."""

    def remove_directory(self, path: str) -> None:
        """Remove a directory that holds nothing; any other one stays."""

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at a path."""

    def free_bytes(self, path: str) -> int:
        """Return how much an ordinary file may still take where a path is, or will be."""

    def locked(self, path: str) -> AbstractContextManager[bool]:
        """Hold a lock file while the block runs; the context is False when another process holds it."""

    def is_root(self) -> bool:
        """Tell whether changes are allowed."""

    def name(self) -> str:
        """Return the host name."""

    def machine(self) -> str:
        """Return the kernel's name of the machine, such as x86_64."""

    def processes(self) -> tuple[Process, ...]:
        """Return all processes that can be seen, by their numbers."""

    def listening(self) -> tuple[ListeningPort, ...]:
        """Return the TCP ports that are listened on in this network."""

    def connected(self, port: int) -> bool:
        """Tell whether some process of this host has an established TCP connection to a port of any host."""

    def listens(self, address: str, port: int) -> bool:
        """Tell whether somebody accepts a TCP connection."""

    def http_get(self, address: str, port: int, path: str, *, tls: bool) -> HttpAnswer | None:
        """Ask what listens there for a page; None when nothing answers. Nobody's certificate is checked."""

    def now(self) -> float:
        """Return the time of day in seconds since 1970, UTC."""

    def elapsed(self) -> float:
        """Return seconds since some moment, whatever happens to the time of day."""

    def pause(self, seconds: float) -> None:
        """Wait."""
