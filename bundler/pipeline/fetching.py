"""Pins -> verified blobs in the store, several at once, each blob once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.pipeline.runner import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.progress import Task
    from bundler.pipeline.context import BuildContext
    from bundler.pipeline.planning import PlannedFetch


def fetch_all(fetches: Sequence[PlannedFetch], context: BuildContext) -> None:
    """Fetch whatever the plan found missing; raises as `Runner.run_all` and `Kind.fetch` do."""
    missing = [item for item in fetches if not item.present]

    def act(item: PlannedFetch, task: Task) -> None:
        context.kinds[item.kind].fetch(item.fetch, context.sources, task)

    units = [Unit(item.fetch.label, item.fetch.transfer_bytes, item) for item in missing]
    context.runner.run_all(units, act)
