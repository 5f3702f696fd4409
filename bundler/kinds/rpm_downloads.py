"""A few downloads at once within one entry: a repository's packages are many and small.

Threads are daemons, for the reason that `bundler.pipeline.workers` gives.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

W = TypeVar("W")
R = TypeVar("R")
WORKERS = 4


@dataclass(slots=True)
class _Run(Generic[W, R]):
    """What the threads share."""

    works: Sequence[W]
    act: Callable[[W], R]
    waiting: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    ended: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    results: dict[int, R] = field(default_factory=dict)
    failures: dict[int, BaseException] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        while not self.over.is_set():
            try:
                index = self.waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self.results[index] = self.act(self.works[index])
            except BaseException as error:  # noqa: BLE001 - carried to the caller's thread and raised there
                self.failures[index] = error
                self.over.set()
            self.ended.put(index)


def in_parallel(works: Sequence[W], act: Callable[[W], R], *, workers: int = WORKERS) -> list[R]:
    """Do every piece of work, a few at once, and return the results in their order.

    Raises what the first failed one raised, as soon as it has; nothing is begun after that.
    """
    run = _Run(works, act)
    for index in range(len(works)):
        run.waiting.put(index)
    for _ in range(min(workers, len(works))):
        threading.Thread(target=run.serve, daemon=True).start()
    try:
        for _ in works:
            failure = run.failures.get(run.ended.get())
            if failure is not None:
                raise failure
    finally:
        run.over.set()
    return [run.results[index] for index in range(len(works))]
