"""Progress that several watch at once, such as bars on the terminal and a log file.

Implements `bundler.model.progress`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bundler.model.progress import Progress

if TYPE_CHECKING:
    from bundler.model.progress import Task


class ClosingProgress(Progress, Protocol):
    """Progress that has an end."""

    def close(self) -> None:
        """Show what has not been shown yet, and take away what is not to stay."""


@dataclass(frozen=True, slots=True)
class Watchers:
    """Tells each of them everything, in their order."""

    all: tuple[ClosingProgress, ...]

    def expect(self, total_bytes: int, present_bytes: int = 0) -> None:
        """Add to the number of bytes that the command will move."""
        for one in self.all:
            one.expect(total_bytes, present_bytes)

    def task(self, label: str, total_bytes: int | None, *, apart: bool = False) -> Task:
        """Begin an item."""
        return _SharedTask(tuple(one.task(label, total_bytes, apart=apart) for one in self.all))

    def note(self, text: str) -> None:
        """Tell something that belongs to no single item."""
        for one in self.all:
            one.note(text)

    def close(self) -> None:
        """Close all of them."""
        for one in self.all:
            one.close()


@dataclass(frozen=True, slots=True)
class _SharedTask:
    tasks: tuple[Task, ...]

    def expect(self, total_bytes: int) -> None:
        for task in self.tasks:
            task.expect(total_bytes)

    def advance(self, count: int) -> None:
        for task in self.tasks:
            task.advance(count)

    def note(self, text: str) -> None:
        for task in self.tasks:
            task.note(text)

    def finish(self, outcome: str = "") -> None:
        for task in self.tasks:
            task.finish(outcome)
