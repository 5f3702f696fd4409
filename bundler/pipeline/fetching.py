"""Pins -> verified blobs in the store, several at once, each blob once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import BundlerError
from bundler.pipeline.entry_place import placed_error
from bundler.pipeline.runner import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.progress import Task
    from bundler.pipeline.context import BuildContext
    from bundler.pipeline.entry_place import EntryFinder
    from bundler.pipeline.planning import PlannedFetch


def fetch_all(fetches: Sequence[PlannedFetch], context: BuildContext, entries: EntryFinder) -> None:
    """Fetch whatever the plan found missing; raises as `Runner.run_all` and `Kind.fetch` do, and names the entry."""
    missing = [item for item in fetches if not item.present]

    def act(item: PlannedFetch, task: Task) -> None:
        try:
            context.kinds[item.kind].fetch(item.fetch, context.sources, task)
        except BundlerError as error:
            place = entries.find(item.kind, item.fetch.artifacts)
            raise (placed_error(error, place) if place else error) from error

    units = [Unit(item.fetch.label, item.fetch.transfer_bytes, item) for item in missing]
    context.runner.run_all(units, act)
