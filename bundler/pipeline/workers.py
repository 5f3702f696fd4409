"""Running many independent pieces of work on a few threads, with one rule for failures.

Owns order, cancelling and which failure is raised; refuses to know what the work is. Threads are daemons: an
interrupted run does not wait for a silent peer, and what is half done lies in files that say so.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from bundler.errors import BundlerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.model.progress import Progress, Task

W = TypeVar("W")
R = TypeVar("R")


class Cancelled(BaseException):
    """Ends a piece of work whose result nobody wants any more; never seen outside this module's threads."""


@dataclass(frozen=True, slots=True)
class Unit(Generic[W]):
    """One piece of work: what it is called, the bytes it moves (None: unknown), and the work itself."""

    label: str
    transfer_bytes: int | None
    work: W


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What a run gave: the results of the units that succeeded, and the failure of the first that did not."""

    results: dict[int, R]
    failures: dict[int, Exception]

    @property
    def failure(self) -> Exception | None:
        """The first failure in the order of the units."""
        return self.failures[min(self.failures)] if self.failures else None


@dataclass(slots=True)
class _CancellableTask:
    """A task that stops its work at the next block of bytes once the run is over."""

    task: Task
    over: threading.Event

    def advance(self, count: int) -> None:
        if self.over.is_set():
            raise Cancelled
        self.task.advance(count)

    def note(self, text: str) -> None:
        self.task.note(text)

    def finish(self, outcome: str = "") -> None:
        self.task.finish(outcome)


@dataclass(slots=True)
class _Run(Generic[W, R]):
    """The shared state of one `run_all`."""

    units: Sequence[Unit[W]]
    act: Callable[[W, Task], R]
    progress: Progress
    results: dict[int, R] = field(default_factory=dict)
    failures: dict[int, Exception] = field(default_factory=dict)
    waiting: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    ended: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        """Work through the queue until it is empty or the run is over; the body of a thread."""
        while not self.over.is_set():
            try:
                index = self.waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self._do(index)
            except Cancelled:
                return
            except Exception as error:  # noqa: BLE001 - reporting itself failed; `run_all` must not wait for ever
                self.failures.setdefault(index, error)
            self.ended.put(index)

    def _do(self, index: int) -> None:
        unit = self.units[index]
        task = _CancellableTask(self.progress.task(unit.label, unit.transfer_bytes), self.over)
        try:
            self.results[index] = self.act(unit.work, task)
        except Exception as error:  # noqa: BLE001 - carried to the caller's thread and raised there
            self.failures[index] = error
            task.finish(f"failed: {str(error).removeprefix(f'{unit.label}: ')}")
        else:
            task.finish()


def run_all(
    units: Sequence[Unit[W]],
    act: Callable[[W, Task], R],
    *,
    jobs: int,
    keep_going: bool,
    progress: Progress,
) -> list[R]:
    """Do every unit's work and return the results in the order of the units.

    Raises the BundlerError of the first failed unit in their order; otherwise as `attempt_all`.
    """
    outcome = attempt_all(units, act, jobs=jobs, keep_going=keep_going, progress=progress)
    if outcome.failure is not None:
        raise outcome.failure
    return [outcome.results[index] for index in range(len(units))]


def attempt_all(
    units: Sequence[Unit[W]],
    act: Callable[[W, Task], R],
    *,
    jobs: int,
    keep_going: bool,
    progress: Progress,
) -> Outcome[R]:
    """Do every unit's work, at most `jobs` at once, and return what succeeded and what failed, by index.

    Arguments:
        act: does one unit's work, reporting to its task; it runs on a thread of its own.
        jobs: threads, at least 1.
        keep_going: whether the rest is still done after a failure. Otherwise nothing is begun after it, what runs is
            cut short, and it is raised at once, as is whatever is no BundlerError.
    """
    run = _Run(units, act, progress)
    for index in range(len(units)):
        run.waiting.put(index)
    for _ in range(min(jobs, len(units))):
        threading.Thread(target=run.serve, daemon=True).start()
    try:
        for _ in units:
            failure = run.failures.get(run.ended.get())
            if failure is not None and not (keep_going and isinstance(failure, BundlerError)):
                raise failure
    finally:
        run.over.set()
    return Outcome(run.results, run.failures)
