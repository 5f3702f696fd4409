"""A host in memory: a `bundler.host.interface.Host` that knows what the changes' commands bring about."""

from __future__ import annotations

import hashlib
import posixpath
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.host.changes import RunCommand
from bundler.host.interface import (
    COMMAND_WITHIN_S,
    NO_ENVIRONMENT,
    CommandResult,
    FileOwner,
    FileStatus,
    HttpAnswer,
    ListeningPort,
    Process,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bundler.host.changes import Change


@dataclass(slots=True)
class MemoryHost:
    """A host.

    Arguments:
        files: path -> content.
        modes: of what was written.
        owners: of what was written for somebody.
        succeeding: checks that succeed now.
        failing: command -> what it answers instead of success.
        answers: command -> what it answers, from the host as it is then; changes nothing unless the function does.
        ran: every command that may have changed something, in order.
        ports: what is listened on.
        holders: port -> the process that listens on it.
        time: seconds since 1970; only `pause` moves it.
        pauses: called after each pause: what happens on a host while somebody waits.
        packages: those that rpm knows as installed; yum and dnf add what they are to install.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    owners: dict[str, FileOwner] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)
    succeeding: set[tuple[str, ...]] = field(default_factory=set)
    failing: dict[tuple[str, ...], CommandResult] = field(default_factory=dict)
    answers: dict[tuple[str, ...], Callable[[MemoryHost], CommandResult]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    environments: list[Mapping[str, str]] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)
    ports: set[tuple[str, int]] = field(default_factory=set)
    holders: dict[int, int] = field(default_factory=dict)
    connections: set[int] = field(default_factory=set)
    running: list[Process] = field(default_factory=list)
    answer: HttpAnswer | None = None
    root: bool = True
    host_name: str = "master"
    machine_name: str = "x86_64"
    free: int = 100 * 1024**3
    time: float = 1_790_000_000.0
    pauses: Callable[[MemoryHost], None] | None = None
    lock_taken: bool = False
    packages: set[str] = field(default_factory=set)
    _brings: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    _ends: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def learn(self, changes: Iterable[Change]) -> None:
        """Know from now on what these changes' commands bring about and end."""
        for change in changes:
            if isinstance(change, RunCommand) and change.check:
                self._brings[change.command] = change.check
                self._ends[change.undo] = change.check

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
        """Answer checks from what is known; anything else succeeds, unless it is to fail."""
        del within_s, stop_at, shows_progress
        words = tuple(command)
        if words in self.failing:
            return self.failing[words]
        if words in self.answers:
            return self.answers[words](self)
        if words in self._brings.values():
            return CommandResult(0 if words in self.succeeding else 1, "", "")
        if words == ("sync",):
            return CommandResult(0, "", "")
        if words[:2] == ("rpm", "-q"):
            return CommandResult(len(set(words[2:]) - self.packages), "", "")
        if words[0] in ("yum", "dnf") and "install" in words:
            self.packages.update(words[words.index("install") + 1 :])
        self.ran.append(" ".join(words))
        self.environments.append(environment)
        self.inputs.append(stdin)
        if words in self._brings:
            self.succeeding.add(self._brings[words])
        self.succeeding.discard(self._ends.get(words, ()))
        return CommandResult(0, "", "")

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
        self.files[path] = data
        self.modes[path] = self.modes.get(path, 0o644) if mode is None else mode
        if owner is not None:
            self.owners[path] = owner

    def copy(self, source: str, path: str, mode: int) -> None:
        # a copy is a write like any other, but nobody watches it
        MemoryHost.write(self, path, self.files[source], mode)

    def digest(self, path: str) -> str:
        return hashlib.sha256(self.files[path]).hexdigest() if path in self.files else ""

    def status(self, path: str) -> FileStatus | None:
        owner = self.owners.get(path, FileOwner(0, 0))
        if path in self.files:
            return FileStatus("file", self.modes.get(path, 0o644), *owner, len(self.files[path]), 1, 1)
        return FileStatus("directory", 0o755, *owner, 0, 1, 2) if self.exists(path) else None

    def resolved(self, path: str) -> str:
        return path

    def names(self, path: str) -> tuple[str, ...]:
        below = path.rstrip("/") + "/"
        known = [*self.files, *self.directories]
        return tuple(sorted({name[len(below) :].split("/")[0] for name in known if name.startswith(below)}))

    def remove(self, path: str) -> None:
        self.files.pop(path, None)

    def make_directory(self, path: str, mode: int) -> None:
        del mode
        self.directories.add(path)

    def remove_directory(self, path: str) -> None:
        assert path.startswith("/")
        if not self.names(path):
            self.directories.discard(path)

    def exists(self, path: str) -> bool:
        return path in self.files or path in self.directories or bool(self.names(path))

    def free_bytes(self, path: str) -> int:
        assert posixpath.isabs(path)
        return self.free

    @contextmanager
    def locked(self, path: str) -> Iterator[bool]:
        assert posixpath.isabs(path)
        yield not self.lock_taken

    def is_root(self) -> bool:
        return self.root

    def name(self) -> str:
        return self.host_name

    def machine(self) -> str:
        return self.machine_name

    def processes(self) -> tuple[Process, ...]:
        return tuple(self.running)

    def listening(self) -> tuple[ListeningPort, ...]:
        return tuple(ListeningPort(address, port, self.holders.get(port, 0)) for address, port in sorted(self.ports))

    def connected(self, port: int) -> bool:
        return port in self.connections

    def listens(self, address: str, port: int) -> bool:
        return (address, port) in self.ports

    def http_get(self, address: str, port: int, path: str, *, tls: bool) -> HttpAnswer | None:
        del path, tls
        return self.answer if (address, port) in self.ports else None

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        self.time += seconds
        if self.pauses is not None:
            self.pauses(self)
