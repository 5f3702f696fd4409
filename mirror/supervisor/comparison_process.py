"""The process that compares a bundle's digests while it is served: one at a time, without the supervisor's rights."""

from __future__ import annotations

import os
import selectors
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from bundler.translation import tr
from mirror.supervisor.run_worker import run_comparison
from mirror.worker.control import control_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.supervisor.workers import WorkerPool
    from mirror.worker.control import ControlChannel


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
        self._process: tuple[int, ControlChannel] | None = None

    def begin(self, address: str) -> None:
        """Start the process for the bundle at an address, which a worker has claimed; nothing while there is one."""
        if self._process is not None or self._pool.index is None:
            return
        ours, theirs = control_pair()
        try:
            pid = os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            self._pool.environment.comparisons.abandon()
            self._warn(tr("no process can be started that compares digests: {reason}", reason=error.strerror))
            return
        if pid == 0:
            ours.close()
            self._pool.close_all()
            run_comparison(self._pool.environment, theirs, self._pool.index, address)
        theirs.close()
        self._process = pid, ours
        self._selector.register(ours.fileno(), selectors.EVENT_READ, self)

    def receive(self) -> None:
        """Take what the process says; its end is one of these things."""
        if self._process is None:
            return
        control = self._process[1]
        for message in control.receive():
            if message.word == "failed":
                self._warn(tr("digests are not compared to the end: {text}", text=message.text))
        if control.closed:
            self.end()

    def end(self) -> None:
        """End the process, if there is one; what it has come to so far counts for nothing, unless that is all."""
        if self._process is None:
            return
        pid, control = self._process
        self._process = None
        self._selector.unregister(control.fileno())
        control.close()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # whoever waits for workers may have waited for this one as well
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        self._pool.environment.comparisons.abandon()
