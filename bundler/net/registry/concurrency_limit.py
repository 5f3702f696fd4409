"""How many requests a server gets at once: fewer when it says that it is busy, slowly more again when it copes.

Owns the number alone; refuses to know what is sent and how long to wait (`retry` does).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# so many turns in a row without trouble for one more at a time
TURNS_BEFORE_MORE = 8


class Gate:
    """Lets at most `limit` threads through at once; `limit` halves with every failure, down to one.

    Arguments:
        most: the limit at the beginning, and the highest it ever gets.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError("at least one has to get through")
        self._most = most
        self._inside = 0
        self._good_turns = 0
        self._changed = threading.Condition()
        self.limit = most

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place and hold it."""
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self.limit)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def failed(self) -> None:
        """Halve the limit: the server has too much to do, or the line does not hold."""
        with self._changed:
            self.limit = max(1, self.limit // 2)
            self._good_turns = 0

    def succeeded(self) -> None:
        """Count a turn that went well."""
        with self._changed:
            self._good_turns += 1
            if self._good_turns >= TURNS_BEFORE_MORE and self.limit < self._most:
                self.limit += 1
                self._good_turns = 0
                self._changed.notify_all()
