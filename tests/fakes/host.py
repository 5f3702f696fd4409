"""A host in memory: a `bundler.host.interface.Host` that knows what the steps' commands bring about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.host.interface import CommandResult, HttpAnswer
from bundler.host.steps import RunCommand

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.host.steps import Step


@dataclass(slots=True)
class MemoryHost:
    """A host.

    Arguments:
        files: path -> content.
        modes: of what was written.
        succeeding: checks that succeed now.
        failing: command -> what it answers instead of success.
        ran: every command that may have changed something, in order.
        ports: what is listened on.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    succeeding: set[tuple[str, ...]] = field(default_factory=set)
    failing: dict[tuple[str, ...], CommandResult] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    ports: set[tuple[str, int]] = field(default_factory=set)
    answer: HttpAnswer | None = None
    root: bool = True
    _brings: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    _ends: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def learn(self, steps: Iterable[Step]) -> None:
        """Know from now on what these steps' commands bring about and end."""
        for step in steps:
            if isinstance(step, RunCommand) and step.check:
                self._brings[step.command] = step.check
                self._ends[step.undo] = step.check

    def run(self, command: Sequence[str]) -> CommandResult:
        """Answer checks from what is known; anything else succeeds, unless it is to fail."""
        words = tuple(command)
        if words in self.failing:
            return self.failing[words]
        if words in self._brings.values():
            return CommandResult(0 if words in self.succeeding else 1, "", "")
        self.ran.append(" ".join(words))
        if words in self._brings:
            self.succeeding.add(self._brings[words])
        self.succeeding.discard(self._ends.get(words, ()))
        return CommandResult(0, "", "")

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        self.files[path] = data
        self.modes[path] = self.modes.get(path, 0o644) if mode is None else mode

    def remove(self, path: str) -> None:
        self.files.pop(path, None)

    def remove_directory(self, path: str) -> None:
        """There are no directories, only files."""
        assert path.startswith("/")

    def exists(self, path: str) -> bool:
        return path in self.files

    def is_root(self) -> bool:
        return self.root

    def listens(self, address: str, port: int) -> bool:
        return (address, port) in self.ports

    def http_get(self, address: str, port: int, path: str, *, tls: bool) -> HttpAnswer | None:
        del path, tls
        return self.answer if (address, port) in self.ports else None
