"""What the entries of a manifest without a lock will cost, as their upstreams tell; moves nothing that is not small."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.kinds.base import Estimate
from bundler.pipeline.discovery import derived_entries, discovered_by, manifest_entries
from bundler.pipeline.entry_place import naming_entry
from bundler.pipeline.runner import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.manifest import Manifest
    from bundler.model.platform import Platform
    from bundler.model.progress import Progress, Task
    from bundler.pipeline.context import BuildContext
    from bundler.pipeline.discovery import WantedEntry


@dataclass(frozen=True, slots=True)
class _NotesOnly:
    """Progress for questions that move next to nothing: only what is worth a line is passed on."""

    progress: Progress

    def expect(self, total_bytes: int, present_bytes: int = 0) -> None:
        """Show nothing."""

    def task(self, label: str, total_bytes: int | None, *, apart: bool = False) -> Task:  # noqa: ARG002 - not counted
        return _NotedTask(label, self.progress)

    def note(self, text: str) -> None:
        self.progress.note(text)


@dataclass(frozen=True, slots=True)
class _NotedTask:
    label: str
    progress: Progress

    def expect(self, total_bytes: int) -> None:
        """Show nothing."""

    def advance(self, count: int) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        self.progress.note(f"{self.label}: {text}")

    def finish(self, outcome: str = "") -> None:
        """Show nothing."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """An entry, what it will cost and what it yields; or why that could not be told."""

    wanted: WantedEntry
    estimate: Estimate
    discovered: tuple[WantedEntry, ...] = ()
    failure: Exception | None = None


def estimate_manifest(manifest: Manifest, context: BuildContext) -> list[Estimated]:
    """Ask the upstream, for a manifest without a lock, how much each entry is, and what it yields.

    The manifest's entries come first, in its order. A failure is kept with its entry where the runner keeps going;
    otherwise it is raised.
    """
    notes_only = _NotesOnly(context.runner.progress)
    quiet = replace(context, runner=replace(context.runner, progress=notes_only))
    listed = _estimate_all(list(manifest_entries(manifest)), manifest, quiet)
    discovered = [derived for estimated in listed for derived in estimated.discovered]
    return [*listed, *_estimate_all(derived_entries(manifest, discovered), manifest, quiet)]


def _estimate_all(entries: Sequence[WantedEntry], manifest: Manifest, context: BuildContext) -> list[Estimated]:
    def ask(wanted: WantedEntry, task: Task) -> Estimated:
        with naming_entry(wanted):
            if wanted.failure:
                raise wanted.failure
            estimate = context.kinds[wanted.kind].estimate(wanted.entry, context.sources, task)
            return Estimated(wanted, estimate, discovered_by(wanted, estimate.artifacts, manifest, context, task))

    outcome = context.runner.attempt_all([Unit(wanted.entry.id, 0, wanted) for wanted in entries], ask)
    return [
        outcome.results.get(index) or Estimated(wanted, Estimate(()), failure=outcome.failures[index])
        for index, wanted in enumerate(entries)
    ]


def narrow_estimate(estimated: Estimated, platforms: Sequence[Platform], context: BuildContext) -> Estimated:
    """Return what an entry costs a build for some platforms; what is not pinned yet is wanted whole by the lock."""
    kind, pinned = context.kinds[estimated.wanted.kind], estimated.estimate.artifacts
    if not platforms or not pinned:
        return estimated
    left = [part for artifact in pinned if (part := kind.narrow(artifact, platforms, context.sources)) is not None]
    return replace(estimated, estimate=replace(estimated.estimate, fetches=kind.fetches(left), artifacts=tuple(left)))
