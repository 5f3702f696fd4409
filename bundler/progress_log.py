"""Progress as lines of a log, where there is no terminal for bars: few, however many items there are.

Owns which items have a line of their own; refuses to know where the lines go. Implements `bundler.model.progress`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.progress import Task

# so many at once, then one in so many seconds
LINES_AT_ONCE = 20.0
SECONDS_PER_LINE = 5.0


@dataclass(slots=True)
class _LineTask:
    label: str
    log: LineLog
    moved: int = 0
    ended: bool = False

    def expect(self, total_bytes: int) -> None:
        """Say nothing: only bars need the total."""

    def advance(self, count: int) -> None:
        self.moved += count

    def note(self, text: str) -> None:
        self.log.note(f"{self.label}: {text}")

    def finish(self, outcome: str = "") -> None:
        if not self.ended:
            self.ended = True
            text = f"{self.label}: {outcome or tr('done')}" + (f", {human_bytes(self.moved)}" if self.moved else "")
            self.log.ended(text, self.moved, matters=outcome.startswith(tr("failed")))


@dataclass(slots=True)
class LineLog:
    """Progress as a log.

    Arguments:
        say: prints a line.
        now_s: a clock.
        items: whether items are told when they end; those that matter, and notes, are told in any case.
    """

    say: Callable[[str], None]
    now_s: Callable[[], float] = time.monotonic
    items: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _left: float = LINES_AT_ONCE
    _counted_s: float | None = None
    _untold: int = 0
    _untold_bytes: int = 0
    _last: str = ""
    _last_bytes: int = 0

    def expect(self, total_bytes: int, present_bytes: int = 0) -> None:
        """Tell what is to come."""
        if total_bytes and self.items:
            there = tr(
                "{size} in all, {size2} there already, ",
                size=human_bytes(total_bytes),
                size2=human_bytes(present_bytes),
            )
            self.say(
                tr(
                    "{there}{size} to go",
                    there=there if present_bytes else "",
                    size=human_bytes(total_bytes - present_bytes),
                )
            )

    def task(self, label: str, total_bytes: int | None, *, apart: bool = False) -> Task:  # noqa: ARG002 - for bars
        """Begin an item, which is told when it ends."""
        return _LineTask(label, self)

    def note(self, text: str) -> None:
        """Tell it at once."""
        self.say(text)

    def ended(self, text: str, moved: int, *, matters: bool) -> None:
        """Tell the end of an item, now or with later ones.

        Arguments:
            moved: its bytes.
            matters: whether it has a line of its own whatever there was before.
        """
        if matters:
            self.say(text)
        if matters or not self.items:
            return
        with self._lock:
            now_s = self.now_s()
            since_s = 0 if self._counted_s is None else now_s - self._counted_s
            self._left = min(LINES_AT_ONCE, self._left + since_s / SECONDS_PER_LINE)
            self._counted_s = now_s
            if self._left >= 1:
                self._left -= 1
                self._tell(text)
            else:
                self._untold, self._untold_bytes = self._untold + 1, self._untold_bytes + moved
                self._last, self._last_bytes = text, moved

    def close(self) -> None:
        """Tell what has not been told yet; its last item by name."""
        with self._lock:
            if self._untold:
                self._untold, self._untold_bytes = self._untold - 1, self._untold_bytes - self._last_bytes
                self._tell(self._last)

    def _tell(self, text: str) -> None:
        others = (
            tr(" (and {untold} more, {size})", untold=self._untold, size=human_bytes(self._untold_bytes))
            if self._untold
            else ""
        )
        self.say(f"{text}{others}")
        self._untold = self._untold_bytes = 0
