"""Entries -> pins. Keeps what an earlier lock says as long as the entry still means the same. docs/design.md, 4.

What the manifest lists comes first; what that yields (`discovery`) second, under the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from bundler.model.lock import Lock, LockedEntry
from bundler.model.manifest import entry_fingerprint
from bundler.pipeline.discovery import derived_entries, discovered_by, discoverer_of, manifest_entries
from bundler.pipeline.entry_place import naming_entry
from bundler.pipeline.runner import Unit
from bundler.pipeline.updating import Earlier, earlier_pins, entries_to_update

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.model.lock import EntryName
    from bundler.model.manifest import Manifest
    from bundler.model.progress import Task
    from bundler.pipeline.context import BuildContext
    from bundler.pipeline.discovery import WantedEntry
    from bundler.pipeline.estimating import Estimated

# pinned in one run: what describes the work is as large as its results
ENTRIES_AT_ONCE = 4096


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
    """Pin the entries of a manifest, and what they yield.

    A failure is returned where the runner keeps going; otherwise it is raised.

    Arguments:
        previous: an earlier lock, whose pins hold for entries that mean the same; for others the kind is told them.
        update: shell globs of entries, or of artifacts in them, to pin anew all the same; what such an entry yields
            moves with it.
        estimates: what `estimate_manifest` found; entries that it had to pin already, or failed on, are not asked
            again.
    """
    moved = entries_to_update(previous, update) if previous else frozenset()
    before = previous.by_kind() if previous else {}
    asked = {estimated.wanted.name: estimated for estimated in estimates}
    pinning = _ManifestPinning(manifest, context, before, tuple(update), moved, asked)
    listed = pinning.round(manifest_entries(manifest))
    derived = pinning.round(derived_entries(manifest, listed.discovered))
    ordered = sorted([*listed.pinned, *derived.pinned], key=attrgetter("kind", "id"))
    lock = Lock(manifest.digest, manifest.platforms, dict(manifest.variables), tuple(ordered))
    return Pinned(lock, listed.failure or derived.failure)


@dataclass(slots=True)
class _Round:
    """What came of some entries: their pins, what they yield, and the failure of the first that failed."""

    pinned: list[LockedEntry] = field(default_factory=list)
    discovered: list[WantedEntry] = field(default_factory=list)
    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class _ManifestPinning:
    """What the rounds of one `pin_manifest` share."""

    manifest: Manifest
    context: BuildContext
    before: Mapping[str, Mapping[str, LockedEntry]]
    update: tuple[str, ...]
    moved: frozenset[EntryName]
    estimates: Mapping[EntryName, Estimated]

    def round(self, entries: Iterable[WantedEntry]) -> _Round:
        """Pin those that have to be, several at once, and look what they and the others yield."""
        result, rest = _Round(), iter(entries)
        while some := list(islice(rest, ENTRIES_AT_ONCE)):
            self._pin_some(some, result)
        return result

    def _pin_some(self, entries: Sequence[WantedEntry], result: _Round) -> None:
        units: list[Unit[tuple[WantedEntry, LockedEntry | None]]] = []
        for wanted in entries:
            kept = self._kept(wanted)
            if kept is None or discoverer_of(wanted, self.context):
                units.append(Unit(wanted.entry.id, None, (wanted, kept)))
            else:
                result.pinned.append(kept)
        outcome = self.context.runner.attempt_all(units, self._pin)
        for pinned, discovered in outcome.results.values():
            result.pinned.append(pinned)
            result.discovered += discovered
        result.failure = result.failure or outcome.failure

    def _before(self, wanted: WantedEntry) -> LockedEntry | None:
        return self.before.get(wanted.kind, {}).get(wanted.entry.id)

    def _kept(self, wanted: WantedEntry) -> LockedEntry | None:
        """Return the earlier pins of an entry that still hold, or None."""
        before = self._before(wanted)
        if before is None or before.fingerprint != entry_fingerprint(wanted.entry) or wanted.failure:
            return None
        if wanted.name in self.moved or wanted.parent in self.moved:
            return None
        if any(self.context.kinds[wanted.kind].disagreements(wanted.entry, before.artifacts, ())):
            # somebody has written in the lock since
            return None
        return before if before.derived_from == wanted.parent else replace(before, derived_from=wanted.parent)

    def _pin(
        self, work: tuple[WantedEntry, LockedEntry | None], task: Task
    ) -> tuple[LockedEntry, tuple[WantedEntry, ...]]:
        wanted, kept = work
        with naming_entry(wanted):
            if wanted.failure:
                raise wanted.failure
            pinned = kept or self._locked(wanted, task)
            return pinned, discovered_by(wanted, pinned.artifacts, self.manifest, self.context, task)

    def _locked(self, wanted: WantedEntry, task: Task) -> LockedEntry:
        asked = self.estimates.get(wanted.name)
        if asked and asked.wanted.entry != wanted.entry:
            # its parent has moved since then
            asked = None
        if asked and asked.failure:
            raise asked.failure
        artifacts = asked.estimate.artifacts if asked else ()
        if not artifacts:
            earlier = self._earlier(wanted)
            artifacts = self.context.kinds[wanted.kind].lock(
                wanted.entry, self.context.sources, task, kept=earlier.kept, moved=earlier.moved
            )
        fingerprint = entry_fingerprint(wanted.entry)
        return LockedEntry(*wanted.name, fingerprint, tuple(artifacts), derived_from=wanted.parent)

    def _earlier(self, wanted: WantedEntry) -> Earlier:
        before = self._before(wanted)
        # what moves with its parent moves whole
        return Earlier() if before is None or wanted.parent in self.moved else earlier_pins(before, self.update)
