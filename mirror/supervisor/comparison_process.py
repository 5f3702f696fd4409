"""The process that compares a bundle's digests while it is served: one at a time, without the supervisor's rights."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING

from bundler.translation import tr
from mirror.supervisor.helper_process import HelperProcess
from mirror.supervisor.run_worker import run_comparison

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.supervisor.workers import WorkerPool


class Comparing:
    """Such a process, or none.

    Arguments:
        selector: is told to wait for the process, with this object as its data.
        warn: shows what an operator should know, one line at a time.
    """

    def __init__(self, pool: WorkerPool, selector: selectors.BaseSelector, warn: Callable[[str], None]) -> None:
        self._pool = pool
        self._selector = selector
        self._warn = warn
        self._process: HelperProcess | None = None

    def begin(self, address: str) -> None:
        """Start the process for the bundle at an address, which a worker has claimed; nothing while there is one."""
        if self._process is not None or self._pool.index is None:
            return
        environment, index = self._pool.environment, self._pool.index
        try:
            self._process = HelperProcess.begin(
                self._pool, lambda control: run_comparison(environment, control, index, address)
            )
        except OSError as error:
            environment.comparisons.abandon()
            self._warn(tr("no process can be started that compares digests: {reason}", reason=error.strerror))
            return
        self._selector.register(self._process.control.fileno(), selectors.EVENT_READ, self)

    def receive(self) -> None:
        """Take what the process says; its end is one of these things."""
        if self._process is None:
            return
        control = self._process.control
        for message in control.receive():
            if message.word == "failed":
                self._warn(tr("digests are not compared to the end: {text}", text=message.text))
        if control.closed:
            self.end()

    def end(self) -> None:
        """End the process, if there is one; what it has come to so far counts for nothing, unless that is all."""
        if self._process is None:
            return
        process, self._process = self._process, None
        self._selector.unregister(process.control.fileno())
        process.end()
        self._pool.environment.comparisons.abandon()
