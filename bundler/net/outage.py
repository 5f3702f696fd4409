"""A server that was there and is away for a while: how long it is waited for, by all who ask it together.

Owns what counts as being away (refused connections, a proxy without a service behind it, a login that is doubted) and
since when there has been nothing else; refuses to wait by itself (`retry` does).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from bundler.errors import ErrorId
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.errors import SourceError

# a Harbor whose core is restarted is away for some seconds, one whose host is restarted for most of a minute
PATIENCE_S = 60.0
# the pause between two attempts while it is away, before jitter
OUTAGE_PAUSE_S = 0.5
_NOBODY_BEHIND = frozenset({502, 503, 504})
_UNAUTHORIZED = 401


def is_away(error: SourceError) -> bool:
    """Tell whether nobody serves there at the moment: the connection was refused, or a proxy has nobody behind it.

    A refusal of a login is none, unless there is reason to doubt it (then it is SOURCE_BUSY).
    """
    is_doubted = error.id == ErrorId.SOURCE_BUSY and error.status == _UNAUTHORIZED
    return error.id == ErrorId.SOURCE_UNREACHABLE or error.status in _NOBODY_BEHIND or is_doubted


class Outage:
    """Since when a server has been away; safe for many threads, and shared by all of one server's.

    A server that has never answered is not waited for: its name may be wrong.

    Arguments:
        announce: gets a line when the wait begins to be longer than the usual retries, and one when it is over.
        patience_s: after so many seconds of nothing but such failures it is given up.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        announce: Callable[[str], None] = lambda _: None,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._announce = announce
        self._patience_s = patience_s
        self.clock = clock
        self._lock = threading.Lock()
        self._was_there = False
        self._since_s: float | None = None
        self._is_announced = False

    @property
    def is_over(self) -> bool:
        """Whether the patience is: there was nothing else for that long."""
        return self._since_s is not None and self.clock() - self._since_s >= self._patience_s

    def answered(self) -> None:
        """Take note that it has answered somebody."""
        with self._lock:
            is_announced, self._is_announced = self._is_announced, False
            self._was_there, self._since_s = True, None
        if is_announced:
            self._announce(tr("it answers again"))

    def failed(self, error: SourceError) -> None:
        """Take note of a failure: another answer ends the outage, a cut line says nothing."""
        if is_away(error):
            with self._lock:
                self._since_s = self.clock() if self._since_s is None else self._since_s
        elif error.status is not None:
            self.answered()

    def goes_on(self, error: SourceError, first_s: float) -> bool:
        """Tell whether to try further after a failure that `failed` has noted.

        Arguments:
            first_s: when the same request failed for the first time: it may be the only one that does.
        """
        if not self._was_there or not is_away(error) or self.is_over:
            return False
        if self.clock() - first_s >= self._patience_s:
            return False
        with self._lock:
            is_announced, self._is_announced = self._is_announced, True
        if not is_announced:
            self._announce(
                tr("{error}; waiting for it, {patience_s:g} s at most", error=error, patience_s=self._patience_s)
            )
        return True
