"""Pins -> verified blobs in the store, several at once, each blob once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.pipeline.runner import Unit, run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.kinds.base import KindTable, Sources
    from bundler.model.progress import Progress, Task
    from bundler.pipeline.planning import PlannedFetch


def fetch_all(
    fetches: Sequence[PlannedFetch],
    kinds: KindTable,
    sources: Sources,
    *,
    jobs: int,
    keep_going: bool,
    progress: Progress,
) -> None:
    """Fetch whatever the plan found missing; raises as `run_all` and `Kind.fetch` do."""
    missing = [item for item in fetches if not item.present]

    def act(item: PlannedFetch, task: Task) -> None:
        kinds[item.kind].fetch(item.fetch, sources, task)

    units = [Unit(item.fetch.label, item.fetch.transfer_bytes, item) for item in missing]
    run_all(units, act, jobs=jobs, keep_going=keep_going, progress=progress)
