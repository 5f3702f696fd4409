"""A few threads that share many independent pieces of work.

Owns the order in which pieces are started, what is raised, and that nothing is started once a run is over; refuses to
know what the work is and how it is shown. Threads are daemons: an interrupted run does not wait for a silent peer, and
unfinished work is in files that are named as such.
"""

from __future__ import annotations

import queue
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """The outcome of a run, by index: the results of the pieces that succeeded, and the errors of the others."""

    results: dict[int, R]
    failures: dict[int, Exception]

    @property
    def failure(self) -> Exception | None:
        """The first failure in the order of the pieces."""
        return self.failures[min(self.failures)] if self.failures else None


def _never(_: Exception) -> bool:
    return False


@dataclass(slots=True)
class _SharedState(Generic[R]):
    """What the threads of one run share."""

    attempt: Callable[[int, Callable[[], bool]], R]
    goes_on: Callable[[Exception], bool]
    slot: Callable[[], AbstractContextManager[None]]
    over: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome[R] = field(default_factory=lambda: Outcome({}, {}))
    fatal: dict[int, BaseException] = field(default_factory=dict)
    waiting: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    ended: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)

    def serve(self) -> None:
        """Work through the queue until it is empty or the run is over; the body of a thread."""
        while not self.over.is_set():
            # the slot first: what waits for one has no piece that others wait for
            with self.slot():
                if not self._serve_one():
                    return

    def _serve_one(self) -> bool:
        """Attempt the next piece; False when there is none, or the run is over."""
        try:
            index = self.waiting.get_nowait()
        except queue.Empty:
            return False
        try:
            self.outcome.results[index] = self.attempt(index, self.over.is_set)
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread and raised there
            if self.over.is_set():
                # it was cut short because of another piece, whose error is the one to report
                return False
            if isinstance(error, Exception) and self.goes_on(error):
                self.outcome.failures[index] = error
            else:
                self.fatal[index] = error
                self.over.set()
        self.ended.put(index)
        return True


def attempt_each(
    count: int,
    attempt: Callable[[int, Callable[[], bool]], R],
    *,
    threads: int,
    goes_on: Callable[[Exception], bool] = _never,
    slot: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Outcome[R]:
    """Attempt the pieces 0 to `count` - 1, started in that order, several at once.

    Arguments:
        attempt: does one piece, on a thread that is not the caller's; its second argument returns whether the run is
            over: then its result is not needed any more, and it may raise anything.
        threads: how many there are, at least 1.
        goes_on: whether the rest is still attempted after a failure.
        slot: returns what a thread enters before it takes a piece, and leaves after it: it may wait there.

    Raises the first failure after which it does not go on, as soon as it happens; nothing is started after that.
    """
    run = _SharedState(attempt, goes_on, slot)
    for index in range(count):
        run.waiting.put(index)
    for _ in range(min(threads, count)):
        threading.Thread(target=run.serve, daemon=True).start()
    try:
        for _ in range(count):
            if (failure := run.fatal.get(run.ended.get())) is not None:
                raise failure
    finally:
        run.over.set()
    return run.outcome
