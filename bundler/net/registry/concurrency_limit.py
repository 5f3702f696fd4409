"""How many requests a server gets at once: half as many after a failure, slowly more again after successes (AIMD).

Owns the number alone; refuses to know what is sent and how long to wait (`retry` does).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

# how many successes in a row raise the limit by one
SUCCESSES_PER_INCREASE = 8


class AdaptiveLimit:
    """Lets at most `current` threads run at once; `current` halves with every failure, down to one.

    Arguments:
        maximum: the limit at the beginning, and the highest it ever gets; at least 1.
    """

    def __init__(self, maximum: int) -> None:
        if maximum < 1:
            raise ValueError(tr("at least one thread has to run"))
        self._maximum = maximum
        self._running = 0
        self._successes = 0
        self._changed = threading.Condition()
        self.current = maximum

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until one more thread may run, and count as running for as long as the context lasts."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.current)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def failed(self) -> None:
        """Halve the limit: the server is overloaded, or the connection does not hold."""
        with self._changed:
            self.current = max(1, self.current // 2)
            self._successes = 0

    def succeeded(self) -> None:
        """Count a success, which may raise the limit."""
        with self._changed:
            self._successes += 1
            if self._successes >= SUCCESSES_PER_INCREASE and self.current < self._maximum:
                self.current += 1
                self._successes = 0
                self._changed.notify_all()
