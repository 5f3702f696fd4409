"""Entries -> pins. Keeps what an earlier lock says as long as the entry still means the same. Design section 4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.lock import Lock, LockedEntry
from bundler.model.manifest import Entry, Manifest, entry_fingerprint
from bundler.pipeline.runner import Unit
from bundler.pipeline.updating import Earlier, earlier_pins, entries_to_update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.kinds.base import AnyKind
    from bundler.model.progress import Task
    from bundler.pipeline.context import BuildContext
    from bundler.pipeline.planning import Estimated


@dataclass(frozen=True, slots=True)
class Pinned:
    """A lock of every entry that could be pinned, and the failure of the first that could not."""

    lock: Lock
    failure: Exception | None


def pin_manifest(
    manifest: Manifest,
    context: BuildContext,
    *,
    previous: Lock | None = None,
    update: Sequence[str] = (),
    estimates: Sequence[Estimated] = (),
) -> Pinned:
    """Pin the entries of a manifest; a failure is returned where the runner keeps going, otherwise it is raised.

    Arguments:
        previous: an earlier lock, whose pins hold for entries that mean the same; for others the kind is told them.
        update: shell globs of entries, or of artifacts in them, to pin anew all the same.
        estimates: what `estimate_manifest` found; entries that it had to pin already, or failed on, are not asked
            again.
    """
    moved = entries_to_update(previous, update) if previous else frozenset()
    known = {(item.kind, item.entry.id): item for item in estimates}
    pinned: list[LockedEntry] = []
    units: list[Unit[tuple[AnyKind, Entry, Earlier]]] = []
    for kind_name, entries in manifest.entries.items():
        for entry in entries:
            before = previous.entry(kind_name, entry.id) if previous else None
            if before and before.fingerprint == entry_fingerprint(entry) and (kind_name, entry.id) not in moved:
                pinned.append(before)
            else:
                earlier = earlier_pins(before, update) if before else Earlier()
                units.append(Unit(entry.id, None, (context.kinds[kind_name], entry, earlier)))

    def pin(work: tuple[AnyKind, Entry, Earlier], task: Task) -> LockedEntry:
        kind, entry, earlier = work
        asked = known.get((kind.name, entry.id))
        if asked and asked.failure:
            raise asked.failure
        artifacts = (asked and asked.estimate.artifacts) or kind.lock(
            entry, context.sources, task, kept=earlier.kept, moved=earlier.moved
        )
        return LockedEntry(kind.name, entry.id, entry_fingerprint(entry), tuple(artifacts))

    outcome = context.runner.attempt_all(units, pin)
    ordered = sorted([*pinned, *outcome.results.values()], key=lambda entry: (entry.kind, entry.id))
    lock = Lock(manifest.digest, manifest.platforms, dict(manifest.variables), tuple(ordered))
    return Pinned(lock, outcome.failure)
