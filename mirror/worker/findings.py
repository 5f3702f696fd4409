"""What a comparison has found, taken over by a worker: those files are not served until it has hashed them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.tree.comparison import Comparison
    from mirror.tree.served_bundle import ServedBundle
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker


class Findings:
    """The files of a worker's present snapshot that a comparison has found wrong.

    Arguments:
        withdrawn: called when files are not served any more that were before.
    """

    def __init__(self, worker: Worker, withdrawn: Callable[[], None]) -> None:
        self._worker = worker
        self._withdrawn = withdrawn
        # the snapshot, and of each of its bundles by number the files that were taken over
        self._serving: Serving | None = None
        self._taken: dict[int, set[int]] = {}

    def take_over(self) -> None:
        """Withdraw what was found since the last call. Rechecks hash such a file again, as any that is refused."""
        if self._worker.comparisons.is_empty:
            return
        if self._serving is not self._worker.serving:
            self._serving, self._taken = self._worker.serving, {}
        found = [self._take_over(bundle) for bundle in self._serving.site.bundles]
        if any(found):
            self._worker.count_faults()
            self._withdrawn()

    def comparisons(self) -> dict[int, Comparison]:
        """Return how far the comparison of each bundle is, by the bundle's number; what it found is taken over."""
        if self._worker.comparisons.is_empty:
            return {}
        bundles = self._worker.serving.site.bundles
        found = [(each.number, self._worker.comparisons.find(each.fingerprint)) for each in bundles]
        # afterwards: of one that is over nothing may be left to be taken over
        self.take_over()
        return {number: comparison for number, comparison in found if comparison is not None}

    def _take_over(self, bundle: ServedBundle) -> bool:
        """Withdraw a bundle's files; return whether there were any."""
        comparisons, fingerprint = self._worker.comparisons, bundle.fingerprint
        taken = self._taken.setdefault(bundle.number, set())
        if comparisons.wrong_count(fingerprint) == len(taken):
            return False
        new = [number for number in comparisons.wrong_files(fingerprint) if number not in taken]
        for number in new:
            # what it was compared as may be older than what lies there now: nothing is known to be wrong yet
            self._worker.serving.quarantine.refuse(bundle.withdraw(number), None)
        taken.update(new)
        return bool(new)
