"""Listed files that are not what is listed: reported once, hashed again in a thread, served again when they are.

Nobody has to ask for a file that was repaired: those in quarantine are looked at every few seconds.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.translation import tr
from mirror.tree.opening import NotTheCheckedFileError
from mirror.tree.quarantine import hash_again
from mirror.worker.findings import Findings
from mirror.worker.operator_log import log_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.tree.identity import Identity
    from mirror.tree.served import File
    from mirror.worker.executor import Executor
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker


# how often the files in quarantine are looked at, and how many at a time
RECHECK_S = 5.0
_FILES_AT_A_TIME = 256


def _nobody_waits(_file: File | None) -> None:
    """Do nothing with what a file has turned out to be."""


def _nobody_remembers() -> None:
    """Do nothing when files are withdrawn."""


class Rechecks:
    """Decides for all snapshots of a worker which files are in quarantine.

    Arguments:
        thread: does the hashing.
        withdrawn: called when a comparison has found files wrong that were served until then.
    """

    def __init__(self, worker: Worker, thread: Executor, withdrawn: Callable[[], None] = _nobody_remembers) -> None:
        self.findings = Findings(worker, withdrawn)
        self._worker = worker
        self._thread = thread
        # by the file's place, while it is hashed
        self._waiting: dict[str, list[Callable[[File | None], None]]] = {}

    def recheck(
        self, file: File, error: NotTheCheckedFileError, then: Callable[[File | None], None] = _nobody_waits
    ) -> None:
        """Have a file hashed again that could not be opened as the one that was checked.

        Arguments:
            then: called, at once or when that is done, with the file under its new identity, None for not served.
        """
        serving, place = self._worker.serving, file.place.path
        if file.digest is None or error.is_passing:
            then(None)
        elif place in self._waiting:
            self._waiting[place].append(then)
        elif serving.quarantine.may_have_changed(file):
            self._waiting[place] = [then]
            self._thread.run(partial(hash_again, file), partial(self._rechecked, serving, file, error.reason))
        else:
            self._refuse(serving, file, None, error.reason)
            then(None)

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        """Report a file that was written to while it was sent; it is refused until it was hashed again."""
        file, serving = error.file, self._worker.serving
        log_line(
            tr(
                "{bundle}/{path} {reason}; the transfer is cut",
                bundle=file.bundle or tr("shared"),
                path=file.path,
                reason=error.reason,
            )
        )
        if serving.site.lists(file):
            serving.quarantine.refuse(file, None)
            self._count(serving)
            self.recheck(file, error)

    def sweep(self) -> None:
        """Have the files in quarantine hashed again that were touched since they were refused, or found wrong."""
        self.findings.take_over()
        quarantine = self._worker.serving.quarantine
        for file in quarantine.next_files(_FILES_AT_A_TIME):
            if file.place.path not in self._waiting and quarantine.may_have_changed(file):
                self.recheck(file, NotTheCheckedFileError(file, "is not what is listed"))

    def _rechecked(
        self, serving: Serving, file: File, reason: str, result: tuple[File | None, Identity | None] | None
    ) -> None:
        again, identity = result or (None, None)
        if again is None:
            self._refuse(serving, file, identity, reason)
        else:
            if serving.quarantine.is_known(file):
                log_line(tr("{bundle}/{path} is as listed again, and is served", bundle=file.bundle, path=file.path))
            serving.quarantine.readmit(serving.site, again)
            self._count(serving)
        for then in self._waiting.pop(file.place.path, ()):
            then(again)

    def _refuse(self, serving: Serving, file: File, identity: Identity | None, reason: str) -> None:
        if not serving.quarantine.is_known(file):
            log_line(tr("{bundle}/{path} is not served: {reason}", bundle=file.bundle, path=file.path, reason=reason))
        serving.quarantine.refuse(file, identity)
        self._count(serving)

    def _count(self, serving: Serving) -> None:
        if serving is self._worker.serving:
            self._worker.count_faults()
