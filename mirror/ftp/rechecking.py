"""Listed files that are not what is listed: reported once, hashed again in a thread, served again when they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mirror.tree.quarantine import hash_again
from mirror.worker.operator_log import tell

if TYPE_CHECKING:
    from mirror.ftp.interface import Executor
    from mirror.tree.identity import Identity
    from mirror.tree.opening import NotTheCheckedFileError
    from mirror.tree.served import File
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker


class Rechecks:
    """Decides for all snapshots of a worker which files are in quarantine.

    Arguments:
        thread: does the hashing.
    """

    def __init__(self, worker: Worker, thread: Executor) -> None:
        self._worker = worker
        self._thread = thread
        self._running: set[str] = set()

    def recheck(self, file: File, error: NotTheCheckedFileError) -> None:
        """Have a file hashed again that could not be opened as the one that was checked."""
        if file.digest is None or error.is_passing:
            return
        if file.place.path in self._running:
            return
        serving = self._worker.serving
        if serving.faults.worth_a_look(file):
            self._running.add(file.place.path)
            self._thread.run(partial(hash_again, file), partial(self._rechecked, serving, file, error.reason))
        else:
            self._refuse(serving, file, None, error.reason)

    def _rechecked(
        self, serving: Serving, file: File, reason: str, result: tuple[File | None, Identity | None] | None
    ) -> None:
        self._running.discard(file.place.path)
        again, identity = result or (None, None)
        if again is None:
            self._refuse(serving, file, identity, reason)
            return
        if serving.faults.is_known(file):
            tell(f"{file.bundle}/{file.path} is as listed again, and is served")
        serving.faults.readmit(serving.site, again)
        self._count(serving)

    def _refuse(self, serving: Serving, file: File, identity: Identity | None, reason: str) -> None:
        if not serving.faults.is_known(file):
            tell(f"{file.bundle}/{file.path} is not served: {reason}")
        serving.faults.refuse(file, identity)
        self._count(serving)

    def _count(self, serving: Serving) -> None:
        if serving is self._worker.serving:
            self._worker.count_faults()
