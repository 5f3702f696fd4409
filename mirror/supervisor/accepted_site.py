"""What every worker has taken over, or began with, beside what is handed out to them: key files and packed site."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirror.supervisor.workers import WorkerPool
    from mirror.worker.control import KeyFiles


class AcceptedSite:
    """Of one pool, in which stands what is handed out.

    Arguments:
        pool: as it begins, with nothing handed out yet.
    """

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._index = pool.index
        self.key_files: KeyFiles = pool.key_files

    def accept(self) -> None:
        """Remember that every worker has what was handed out: what comes next may be refused."""
        if self._index is not None and self._index != self._pool.index:
            os.close(self._index)
        self.key_files, self._index = self._pool.key_files, self._pool.index

    def drop_refused(self) -> None:
        """Let go of a site that was handed out and not accepted."""
        if self._pool.index is not None and self._pool.index != self._index:
            os.close(self._pool.index)
            self._pool.index = self._index

    def return_to(self) -> None:
        """Hand out again what every worker has: what made one fail would make every new process fail."""
        self.drop_refused()
        self._pool.key_files, self._pool.index = self.key_files, self._index
