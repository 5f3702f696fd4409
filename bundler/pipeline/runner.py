"""Running many independent pieces of work on a few threads, with one rule for failures.

Owns progress, cancelling and which failure is raised; refuses to know what the work is. The threads themselves are
`bundler.threads`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from bundler.errors import BundlerError
from bundler.threads import Outcome, attempt_each
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from bundler.model.progress import Progress, Task

W = TypeVar("W")
R = TypeVar("R")


class Jobs(Protocol):
    """How many pieces run at once; `adaptive_jobs` has what somebody said, and what upstreams give."""

    @property
    def most(self) -> int:
        """How many there are at best, at least 1."""

    def slot(self) -> AbstractContextManager[None]:
        """Return what a piece is done in: it waits where too many run."""

    def moved(self, count: int) -> None:
        """Take notice of bytes that arrived."""


class Cancelled(BaseException):
    """Ends a piece of work whose result nobody wants any more; never raised to the caller of a run."""


@dataclass(frozen=True, slots=True)
class Unit(Generic[W]):
    """One piece of work: what it is called, the bytes it moves (None: unknown), and the work itself."""

    label: str
    transfer_bytes: int | None
    work: W


@dataclass(slots=True)
class _CancellableTask:
    """A task that stops its work at the next block of bytes once the run is over."""

    task: Task
    over: Callable[[], bool]
    moved: Callable[[int], None]

    def expect(self, total_bytes: int) -> None:
        self.task.expect(total_bytes)

    def advance(self, count: int) -> None:
        if self.over():
            raise Cancelled
        self.task.advance(count)
        self.moved(count)

    def note(self, text: str) -> None:
        self.task.note(text)

    def finish(self, outcome: str = "") -> None:
        self.task.finish(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """How independent pieces of work are done.

    Arguments:
        jobs: how many run at once.
        keep_going: whether the rest is still done after a failure. Otherwise nothing is begun after it, what runs is
            cut short, and it is raised at once, as is whatever is no BundlerError.
        progress: what every piece is reported to.
    """

    jobs: Jobs
    keep_going: bool
    progress: Progress

    def run_all(self, units: Sequence[Unit[W]], act: Callable[[W, Task], R]) -> list[R]:
        """Do every unit's work and return the results in the order of the units.

        Raises the BundlerError of the first failed unit in their order; otherwise as `attempt_all`.
        """
        outcome = self.attempt_all(units, act)
        if outcome.failure is not None:
            raise outcome.failure
        return [outcome.results[index] for index in range(len(units))]

    def attempt_all(self, units: Sequence[Unit[W]], act: Callable[[W, Task], R]) -> Outcome[R]:
        """Do every unit's work and return what succeeded and what failed, by index.

        Arguments:
            act: does one unit's work, reporting to its task; it runs on a thread of its own.
        """

        def attempt(index: int, over: Callable[[], bool]) -> R:
            unit = units[index]
            task = _CancellableTask(self.progress.task(unit.label, unit.transfer_bytes), over, self.jobs.moved)
            try:
                result = act(unit.work, task)
            except Exception as error:
                failure = error.sentence if isinstance(error, BundlerError) and error.where == unit.label else error
                task.finish(tr("failed: {failure}", failure=failure))
                raise
            task.finish()
            return result

        def goes_on(failure: Exception) -> bool:
            return self.keep_going and isinstance(failure, BundlerError)

        return attempt_each(len(units), attempt, threads=self.jobs.most, goes_on=goes_on, slot=self.jobs.slot)
