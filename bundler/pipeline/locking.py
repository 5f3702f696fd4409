"""Entries -> pins. Keeps what an earlier lock says as long as the entry still means the same. Design section 4."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.model.artifact import Aliased
from bundler.model.lock import Lock, LockedEntry
from bundler.model.manifest import Entry, Manifest, entry_fingerprint
from bundler.pipeline.runner import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.kinds.base import AnyKind
    from bundler.model.artifact import Artifact
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.pipeline.context import BuildContext
    from bundler.pipeline.planning import Estimated


def disagreements(manifest: Manifest, lock: Lock) -> tuple[str, ...]:
    """Return, one line each, what the manifest asks for and the lock does not answer, and the other way round."""
    lines: list[str] = []
    wanted = {(kind, entry.id): entry for kind, entries in manifest.entries.items() for entry in entries}
    for (kind, entry_id), entry in wanted.items():
        locked = lock.entry(kind, entry_id)
        if locked is None:
            lines.append(f"{entry.position}: {kind} {entry_id} is not in the lock")
        elif locked.fingerprint != entry_fingerprint(entry):
            lines.append(f"{entry.position}: {kind} {entry_id} was locked from other settings")
    lines += [
        f"{entry.kind} {entry.id} is in the lock but no longer in the manifest"
        for entry in lock.entries
        if (entry.kind, entry.id) not in wanted
    ]
    if changed := [name for name, text in lock.variables.items() if manifest.variables.get(name) != text]:
        lines += [f"the lock was made with --set {name}={lock.variables[name]}" for name in changed]
    if not lines and lock.manifest != manifest.digest:
        lines.append("name, release or platforms have changed since the manifest was locked")
    return tuple(lines)


def require_agreement(manifest: Manifest, lock: Lock, *, where: str) -> None:
    """Raise ManifestError (LOCK_OUTDATED) with every disagreement when the lock does not answer the manifest."""
    if problems := disagreements(manifest, lock):
        raise ManifestError(
            ErrorId.LOCK_OUTDATED,
            "manifest and lock disagree",
            where=where,
            remedy="Run `bundler lock` to pin what changed, or undo the change in the manifest.",
            problems=problems,
        )


def entries_to_update(lock: Lock, patterns: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Return (kind, id) of the locked entries that shell globs name, by id, or by the key or an alias of an artifact.

    What of such an entry stays is told by `earlier_pins`.

    Raises ManifestError (ENTRY_UNKNOWN) for a pattern that names nothing.
    """
    chosen: set[tuple[str, str]] = set()
    names = {
        (entry.kind, entry.id): {entry.id, *(name for artifact in entry.artifacts for name in _names(artifact))}
        for entry in lock.entries
    }
    for pattern in patterns:
        matched = {key for key, known in names.items() if any(_matches(name, pattern) for name in known)}
        if not matched:
            near = difflib.get_close_matches(pattern, sorted(set[str]().union(*names.values())), n=1)
            raise ManifestError(
                ErrorId.ENTRY_UNKNOWN,
                f"no locked entry is called {pattern!r}",
                remedy=f"Did you mean {near[0]!r}?" if near else "`bundler inspect` of the lock lists them.",
            )
        chosen |= matched
    return frozenset(chosen)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier pins of an entry that is pinned again: what stays if it can, and what was asked to move."""

    kept: tuple[Artifact, ...] = ()
    moved: tuple[Artifact, ...] = ()


def earlier_pins(entry: LockedEntry, patterns: Sequence[str]) -> Earlier:
    """Tell what shell globs ask to move of an entry: some artifacts, or, where one names the entry, all anew."""
    if any(_matches(entry.id, pattern) for pattern in patterns):
        return Earlier()
    moved = [
        any(_matches(name, pattern) for name in _names(artifact) for pattern in patterns)
        for artifact in entry.artifacts
    ]
    pins = tuple(zip(entry.artifacts, moved, strict=True))
    return Earlier(tuple(pin for pin, moves in pins if not moves), tuple(pin for pin, moves in pins if moves))


def _names(artifact: Artifact) -> tuple[str, ...]:
    return (artifact.key, *(artifact.aliases if isinstance(artifact, Aliased) else ()))


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


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


def require_platforms(wanted: Sequence[Platform], offered: Sequence[Platform]) -> None:
    """Raise ManifestError (IMAGE_PLATFORM_MISSING) when a platform is wanted that the manifest is not for."""
    if absent := [str(platform) for platform in wanted if platform not in offered]:
        raise ManifestError(
            ErrorId.IMAGE_PLATFORM_MISSING,
            f"the manifest is not for {', '.join(absent)}, only for {', '.join(map(str, offered))}",
            remedy="Add the platform to the manifest's `platforms` and run `bundler lock`, or ask for another.",
        )


def narrow_lock(lock: Lock, platforms: Sequence[Platform], context: BuildContext) -> Lock:
    """Return the part of a lock that serves these platforms; raises as `require_platforms` does."""
    require_platforms(platforms, lock.platforms)
    entries = []
    for entry in lock.entries:
        kind = context.kinds[entry.kind]
        parts = (kind.narrow(artifact, platforms, context.sources) for artifact in entry.artifacts)
        left = [part for part in parts if part is not None]
        if left:
            entries.append(LockedEntry(entry.kind, entry.id, entry.fingerprint, tuple(left)))
    return Lock(lock.manifest, tuple(platforms), lock.variables, tuple(entries))
