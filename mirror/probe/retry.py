"""Ask a mirror for one thing after another on several threads: again when that may help, no more when it is gone."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import ErrorId, SourceError
from bundler.translation import tr
from mirror.probe.mirror_report import Finding, FindingOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.model.progress import Task

ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
# every other SourceError: the mirror did not answer to the end
_OUTCOMES: Mapping[ErrorId, FindingOutcome] = {
    ErrorId.SOURCE_NOT_FOUND: "missing",
    ErrorId.SOURCE_BUSY: "refused",
    ErrorId.SOURCE_REFUSED: "refused",
    ErrorId.SOURCE_UNAUTHORIZED: "refused",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a check is done.

    Arguments:
        jobs: files fetched at once.
        sleep: waits so many seconds before something is asked again.
        clock: seconds, monotonic.
    """

    jobs: int = 4
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Retrier:
    """Asks for one check, and counts what that took; for several threads."""

    pace: Pace
    task: Task
    retries: int = 0
    received_bytes: int = 0
    lost: SourceError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def findings(self, path: str, want: str, attempt: Callable[[], list[Finding]]) -> list[Finding]:
        """Return what an attempt finds, or the finding that it failed.

        Arguments:
            path: of what is asked for.
            want: for a person.
        """
        if self.lost is not None:
            return [Finding(path, "unreachable", want, tr("not asked for: {sentence}", sentence=self.lost.sentence))]
        try:
            return self.with_retries(path, attempt)
        except SourceError as error:
            if error.id in (ErrorId.SOURCE_UNREACHABLE, ErrorId.SOURCE_TLS):
                # nothing else will come either, and every file would be waited for
                self.lost = error
            return [Finding(path, _OUTCOMES.get(error.id, "unreachable"), want, error.sentence)]

    def with_retries(self, path: str, attempt: Callable[[], T]) -> T:
        """Return what the attempt returns; after a failure that may pass it is made again, after pauses that double."""
        for failures in range(1, ATTEMPTS):
            try:
                return attempt()
            except SourceError as error:
                if not error.retryable:
                    raise
                with self.lock:
                    self.retries += 1
                    self.task.note(
                        tr(
                            "{path}: {sentence}; asking again (attempt {failures} of {attempts})",
                            path=path,
                            sentence=error.sentence,
                            failures=failures + 1,
                            attempts=ATTEMPTS,
                        )
                    )
            self.pace.sleep(FIRST_PAUSE_S * 2.0 ** (failures - 1))
        return attempt()

    def received(self, count: int) -> None:
        """Count bytes of content."""
        with self.lock:
            self.received_bytes += count
            self.task.advance(count)
