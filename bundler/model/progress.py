"""What long work reports to. The engine calls it and never prints; `bundler.console` and the tests implement it."""

from __future__ import annotations

from typing import Protocol


class Task(Protocol):
    """One item on its way."""

    def expect(self, total_bytes: int) -> None:
        """Add to the number of bytes that the item is known to have."""

    def advance(self, count: int) -> None:
        """Add bytes that arrived or were written; negative when some of them have to be fetched again."""

    def note(self, text: str) -> None:
        """Tell something worth a line: a retry, a skipped layer."""

    def finish(self, outcome: str = "") -> None:
        """End the item; `outcome` is a word such as `present`, `failed`, or "" for done."""


class Progress(Protocol):
    """The whole of one command's work."""

    def expect(self, total_bytes: int, present_bytes: int = 0) -> None:
        """Add to the number of bytes that the command deals with, each counted once.

        Arguments:
            present_bytes: how many of them are there already, and are not moved.
        """

    def task(self, label: str, total_bytes: int | None, *, apart: bool = False) -> Task:
        """Begin an item of so many bytes (None: unknown, or told by its `expect`).

        Arguments:
            apart: its bytes are none of those that the command expects: they are counted there already, or never.
        """

    def note(self, text: str) -> None:
        """Tell something that belongs to no single item."""


class Unwatched:
    """A `Task` for work too short to be shown."""

    def expect(self, total_bytes: int) -> None:
        """Nothing to show."""

    def advance(self, count: int) -> None:
        """Nothing to show."""

    def note(self, text: str) -> None:
        """Nothing to show."""

    def finish(self, outcome: str = "") -> None:
        """Nothing to show."""
