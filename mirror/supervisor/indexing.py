"""The process that reads what is served: once for all workers, and without the supervisor's rights.

The supervisor gets a descriptor from it, which it hands on unread (ADR 10), or the reason why there is none.
"""

from __future__ import annotations

import select
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.translation import tr
from mirror.supervisor.helper_process import HelperProcess
from mirror.supervisor.run_worker import run_indexing

if TYPE_CHECKING:
    from mirror.supervisor.workers import WorkerPool
    from mirror.worker.control import ControlChannel, KeyFiles


@dataclass(slots=True)
class Indexing:
    """One such process, from its start to its end.

    Arguments:
        key_files: which its result goes with.
        descriptor: its result, None while there is none; owned by whoever takes it.
        failure: why there is none.
    """

    process: HelperProcess
    key_files: KeyFiles
    descriptor: int | None = None
    failure: str = ""

    @classmethod
    def begin(cls, pool: WorkerPool, key_files: KeyFiles) -> Indexing:
        """Start the process. Raises OSError when the host has no room for one."""
        may_serve_nothing = pool.has_started
        process = HelperProcess.begin(
            pool,
            lambda control: run_indexing(pool.environment, control, key_files, may_serve_nothing=may_serve_nothing),
        )
        return cls(process, key_files)

    @property
    def control(self) -> ControlChannel:
        """The channel to it."""
        return self.process.control

    def wait(self) -> None:
        """Wait until it has said all."""
        while not self.receive():
            select.select([self.control], [], [])

    def receive(self) -> bool:
        """Take what it says; return whether it has said all."""
        for message in self.control.receive():
            if message.word == "indexed":
                self.descriptor = message.descriptor
            elif message.word == "failed":
                self.failure = message.text
        if self.control.closed and self.descriptor is None and not self.failure:
            self.failure = tr("the process that reads it ended without a word")
        return self.descriptor is not None or bool(self.failure)

    def end(self) -> None:
        """Wait for the process, which has nothing more to do, and close the channel."""
        self.process.end()
