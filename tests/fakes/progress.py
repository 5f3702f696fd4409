"""Tasks and progress that keep everything; `bundler.model.progress.Unwatched` keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class RecordingTask:
    """A `Task` that a test reads afterwards; `outcome` is None until it is finished."""

    label: str = ""
    total_bytes: int | None = None
    advanced: int = 0
    notes: list[str] = field(default_factory=list)
    outcome: str | None = None
    apart: bool = False

    def expect(self, total_bytes: int) -> None:
        """Add up."""
        self.total_bytes = (self.total_bytes or 0) + total_bytes

    def advance(self, count: int) -> None:
        """Add up."""
        self.advanced += count

    def note(self, text: str) -> None:
        """Keep the line."""
        self.notes.append(text)

    def finish(self, outcome: str = "") -> None:
        """Keep the outcome; finishing twice is a fault of the code under test."""
        assert self.outcome is None, f"task {self.label!r} finished twice: {self.outcome!r}, {outcome!r}"
        self.outcome = outcome


@dataclass(slots=True)
class RecordingProgress:
    """A `Progress` that a test reads afterwards."""

    expected: int = 0
    present: int = 0
    tasks: list[RecordingTask] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def expect(self, total_bytes: int, present_bytes: int = 0) -> None:
        """Add up."""
        self.expected += total_bytes
        self.present += present_bytes

    def task(self, label: str, total_bytes: int | None, *, apart: bool = False) -> RecordingTask:
        """Keep the task."""
        task = RecordingTask(label, total_bytes, apart=apart)
        self.tasks.append(task)
        return task

    def note(self, text: str) -> None:
        """Keep the line."""
        self.notes.append(text)
