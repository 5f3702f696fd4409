"""Retries: exponential backoff with full jitter, only for errors that say that a retry may help.

Owns how often and how long; refuses to know what is tried. The function that waits is handed in.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import SourceError
from bundler.net.outage import OUTAGE_PAUSE_S
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.progress import Task
    from bundler.net.outage import Outage

T = TypeVar("T")

# an upstream that asks for a longer pause is not tried again: nobody waits so long before a screen
LONGEST_RETRY_AFTER_S = 120.0
# After an attempt that received at least this much the count starts again, so that a whole file arrives even over a
# connection that is cut every hundred megabytes.
WORTHWHILE_BYTES = 1024 * 1024
# the upper bound, however much each attempt receives
MAX_ATTEMPTS = 1000


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try, and how long to wait between attempts.

    Arguments:
        attempts: how many in a row without worthwhile progress.
        base_s: upper bound of the first pause in seconds; it doubles each time.
        cap_s: upper bound of every pause in seconds.
        sleep: waits so many seconds.
        jitter: returns a number in [0, 1).
        failed: called after each retryable failure, so that others hold back.
        outage: what all who ask the same server know of its being away; then it is given up by time, not by attempts.
    """

    attempts: int = 5
    base_s: float = 0.5
    cap_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    failed: Callable[[], None] = lambda: None
    outage: Outage | None = None

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(tr("at least one attempt is needed"))

    @property
    def impatient(self) -> Retry:
        """The same for what is asked first: whoever is away is given up after so many attempts."""
        return replace(self, outage=None)

    def run(self, attempt: Callable[[], T], task: Task, *, position: Callable[[], int] | None = None) -> T:
        """Return the result of `attempt`, trying again after each retryable SourceError.

        Arguments:
            task: gets a note for every pause.
            position: returns how many bytes have arrived so far; when it has grown enough since the last failure, the
                count of attempts starts again.

        Raises the last attempt's SourceError; all other exceptions at once.
        """
        failures, first_s = 0, 0.0
        furthest = position() if position else 0
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                result = attempt()
            except SourceError as error:
                if self.outage is not None:
                    self.outage.failed(error)
                if not error.retryable:
                    raise
                self.failed()
                reached = position() if position else 0
                if reached >= furthest + WORTHWHILE_BYTES:
                    furthest, failures = reached, 0
                if (error.retry_after_s or 0) > LONGEST_RETRY_AFTER_S:
                    raise error.with_context(
                        tr("it asks to be left alone for {span}", span=_span(error.retry_after_s or 0))
                    ) from error
                failures += 1
                first_s = self.outage.clock() if self.outage and failures == 1 else first_s
                pause_s = self._next_pause_s(error, failures, first_s, task)
            else:
                if self.outage is not None:
                    self.outage.answered()
                return result
            self.sleep(pause_s)
        return attempt()

    def _next_pause_s(self, error: SourceError, failures: int, first_s: float, task: Task) -> float:
        """Return how long to wait before the next attempt; raise the error when there is to be none."""
        if failures < self.attempts:
            pause_s = self.pause_s(failures, error.retry_after_s)
            task.note(
                tr(
                    "{error}; trying again in {pause_s:.1f} s (attempt {failures} of {attempts})",
                    error=error,
                    pause_s=pause_s,
                    failures=failures + 1,
                    attempts=self.attempts,
                )
            )
            return pause_s
        if self.outage is None or not self.outage.goes_on(error, first_s):
            raise error
        return self.pause_s(1, error.retry_after_s) + OUTAGE_PAUSE_S

    def pause_s(self, failures: int, retry_after_s: float | None) -> float:
        """Return how many seconds to wait after a number of failures in a row (at least one)."""
        backoff_s = self.jitter() * min(self.cap_s, self.base_s * 2.0 ** (failures - 1))
        if retry_after_s is None:
            return backoff_s
        return min(retry_after_s, LONGEST_RETRY_AFTER_S) + self.jitter() * self.base_s


def _span(seconds: float) -> str:
    """Return a time as a person says it, rounded up."""
    minutes = -int(-seconds // 60)
    return (
        tr("{minutes} minutes", minutes=minutes) if minutes < 120 else tr("{minutes} hours", minutes=-(-minutes // 60))
    )
