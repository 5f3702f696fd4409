"""A process of the supervisor's that does one piece of work beside the workers, and tells of it over a channel."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.worker.control import control_pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from mirror.supervisor.workers import WorkerPool
    from mirror.worker.control import ControlChannel


@dataclass(frozen=True, slots=True)
class HelperProcess:
    """One such process, from its start to its end."""

    pid: int
    control: ControlChannel

    @classmethod
    def begin(cls, pool: WorkerPool, work: Callable[[ControlChannel], NoReturn]) -> Self:
        """Start it, without what the pool has open. Raises OSError when the host has no room for one.

        Arguments:
            work: is done in it, with its end of the channel.
        """
        ours, theirs = control_pair()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            ours.close()
            pool.close_all()
            work(theirs)
        theirs.close()
        return cls(pid, ours)

    def end(self) -> None:
        """End it where it has not ended, wait for it, and close the channel."""
        self.control.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        # whoever waits for workers may have waited for this one as well
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
