"""How many pieces of a build run at once where nobody has said so: more as long as that brings more. docs/adr/0026.

Owns that number alone; refuses to know what the work is (`runner`) and when it is tried again (`net.retry`). It never
decides what a bundle holds, only how long that takes.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_JOBS, MOST_JOBS = 4, 16
# by how much twice as many have to be quicker than half of them
GAIN = 1.1
# a rate is looked at after so long, or when as many pieces have ended as may run at once
WINDOW_S = 1.0
# what a piece counts beside its bytes: small ones are a question of round trips
PIECE_BYTES = 64 * 1024
# failures within so long after one are the same congestion
CONGESTION_S = 1.0
# once something has failed, one more is tried when so many pieces have ended without a failure
PIECES_PER_INCREASE = 8


class AdaptiveJobs:
    """Lets `current` pieces run at once: from `first`, twice as many as long as the rate grows, half after a failure.

    Safe for many threads.

    Arguments:
        first, most: the number at the beginning, and the highest it ever gets.
        clock: monotonic seconds.
    """

    def __init__(
        self, first: int = FIRST_JOBS, most: int = MOST_JOBS, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not 1 <= first <= most:
            raise ValueError(tr("from {first} up to {most} is no range of jobs", first=first, most=most))
        self.current = first
        self._most = self._ceiling = most
        self._clock = clock
        self._changed = threading.Condition()
        self._running = 0
        # the highest rate until now, in bytes a second
        self._best_rate = 0.0
        self._window_began_s = 0.0
        self._window_bytes = self._window_pieces = 0
        self._failed_at_s: float | None = None
        self._pieces_since_change = 0

    @property
    def most(self) -> int:
        """How many may run at once at best."""
        return self._most

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until one more piece may run, and count it as running for as long as the context lasts."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.current)
            if not self._running:
                # what lay between two runs is no slowness of theirs
                self._begin_window()
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._ended()
                self._changed.notify_all()

    def moved(self, count: int) -> None:
        """Count bytes that have arrived; negative ones, which were dropped again, do not count."""
        with self._changed:
            self._window_bytes += max(0, count)
            self._look()

    def failed(self) -> None:
        """Halve the number, once for each congestion: an upstream is overloaded, or a connection does not hold."""
        with self._changed:
            now_s = self._clock()
            self._pieces_since_change = 0
            if self._failed_at_s is not None and now_s - self._failed_at_s < CONGESTION_S:
                return
            self._failed_at_s = now_s
            # as many as now have failed: never again
            self._ceiling = max(1, self.current - 1)
            self.current = max(1, self.current // 2)

    def _ended(self) -> None:
        self._window_pieces += 1
        self._window_bytes += PIECE_BYTES
        if self._failed_at_s is None:
            self._look()
            return
        self._pieces_since_change += 1
        if self._pieces_since_change >= PIECES_PER_INCREASE and self.current < self._ceiling:
            self.current += 1
            self._pieces_since_change = 0

    def _look(self) -> None:
        """At the end of a window, double the number where its rate is the highest by far."""
        elapsed_s = self._clock() - self._window_began_s
        if self._failed_at_s is not None or elapsed_s <= 0:
            return
        if elapsed_s < WINDOW_S and self._window_pieces < self.current:
            return
        rate = self._window_bytes / elapsed_s
        if rate >= self._best_rate * GAIN:
            self._best_rate = rate
            self.current = min(2 * self.current, self._ceiling)
            self._changed.notify_all()
        self._begin_window()

    def _begin_window(self) -> None:
        self._window_began_s = self._clock()
        self._window_bytes = self._window_pieces = 0


class FixedJobs:
    """As many as somebody has said."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    @property
    def most(self) -> int:
        """How many run at once."""
        return self._jobs

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for nothing: there are no more threads than jobs."""
        yield

    def moved(self, count: int) -> None:
        """Take no notice."""

    def failed(self) -> None:
        """Take no notice."""
