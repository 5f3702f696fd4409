"""Entries that other entries yield: read as if the manifest listed them, each once and with its parent. ADR 15."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ManifestError, SourceError
from bundler.kinds.base import Discoverer
from bundler.model.lock import EntryName
from bundler.model.scope import Scope
from bundler.model.source_text import node_of
from bundler.pipeline.runner import Unit
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.kinds.base import DerivedItem
    from bundler.model.artifact import Artifact
    from bundler.model.lock import Lock
    from bundler.model.manifest import Entry, Manifest
    from bundler.model.progress import Task
    from bundler.pipeline.context import BuildContext


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """An entry to be locked.

    Arguments:
        kind: the name of its kind.
        parent: the entry that yields it; None for one of the manifest.
        failure: why it cannot be locked, when that is known already.
    """

    kind: str
    entry: Entry
    parent: EntryName | None = None
    failure: Exception | None = None

    @property
    def name(self) -> EntryName:
        """What it is called in the lock."""
        return EntryName(self.kind, self.entry.id)

    @property
    def identity(self) -> tuple[str, str]:
        """What it asks for, however that is written."""
        return self.kind, self.entry.key


def manifest_entries(manifest: Manifest) -> Iterator[WantedEntry]:
    """Yield the entries of a manifest, in its order."""
    return (WantedEntry(kind, entry) for kind, entries in manifest.entries.items() for entry in entries)


def discoverer_of(wanted: WantedEntry, context: BuildContext) -> Discoverer[Any, Any] | None:
    """Return the kind that tells what an entry yields, or None; a derived entry yields nothing."""
    kind = context.kinds[wanted.kind]
    return kind if wanted.parent is None and isinstance(kind, Discoverer) else None


def discovered_by(
    wanted: WantedEntry, pinned: Sequence[Artifact], manifest: Manifest, context: BuildContext, task: Task
) -> tuple[WantedEntry, ...]:
    """Return the entries that an entry yields.

    Arguments:
        pinned: its own pins, as far as there are any.

    Raises as `Discoverer.discover`; SourceError (SOURCE_INVALID) for an item that its kind cannot read.
    """
    kind = discoverer_of(wanted, context)
    items = kind.discover(wanted.entry, pinned, context.sources, task) if kind else ()
    return tuple(_read(item, wanted, manifest, context) for item in items)


def discovered_from_lock(manifest: Manifest, lock: Lock, context: BuildContext) -> list[WantedEntry]:
    """Return what entries of the manifest yield, read from their pins; raises as `Discoverer.discover`."""
    asking = {wanted.name: wanted for wanted in manifest_entries(manifest) if discoverer_of(wanted, context)}
    locked = {entry.name: entry.artifacts for entry in lock.entries if asking and entry.name in asking}
    units = [
        Unit(wanted.entry.id, None, (wanted, pinned))
        for wanted in asking.values()
        if (pinned := locked.get(wanted.name))
    ]

    def ask(work: tuple[WantedEntry, Sequence[Artifact]], task: Task) -> tuple[WantedEntry, ...]:
        return discovered_by(*work, manifest, context, task)

    return [derived for found in context.runner.run_all(units, ask) for derived in found]


def _read(item: DerivedItem, parent: WantedEntry, manifest: Manifest, context: BuildContext) -> WantedEntry:
    scope = Scope({}, manifest.platforms)
    position = parent.entry.position
    entry: Entry | None = context.kinds[item.kind].read(node_of(item.item, position), scope)
    if entry is None or scope.problems.errors:
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            tr("{name} yields an entry of {kind} that cannot be read: ", name=parent.name, kind=item.kind)
            + "; ".join(problem.text for problem in scope.problems.errors),
            where=str(position),
            remedy=tr("Tell its publisher, or take another version of it."),
        )
    return WantedEntry(item.kind, entry, parent.name)


def derived_entries(manifest: Manifest, discovered: Iterable[WantedEntry]) -> list[WantedEntry]:
    """Return what entries yield and the manifest does not list itself, each once, sorted by kind and id.

    What several yield is the first parent's, by kind and id. Where they yield it in different settings, it comes with
    its `failure`: ManifestError (MANIFEST_INVALID).
    """
    by_parent = sorted(discovered, key=lambda wanted: (wanted.parent, wanted.name))
    own = list(manifest_entries(manifest)) if by_parent else []
    taken = {wanted.identity for wanted in own}
    names = {wanted.name for wanted in own}
    found: dict[tuple[str, str], WantedEntry] = {}
    for wanted in by_parent:
        if wanted.identity in taken or wanted.name in names:
            continue
        first = found.setdefault(wanted.identity, wanted)
        if first.failure is None and first.entry.meaning() != wanted.entry.meaning():
            found[first.identity] = replace(first, failure=_contradiction(first, wanted))
    return sorted(found.values(), key=lambda wanted: wanted.name)


def _contradiction(first: WantedEntry, other: WantedEntry) -> ManifestError:
    return ManifestError(
        ErrorId.MANIFEST_INVALID,
        tr(
            "{parent} and {other_parent} yield {name} in different settings",
            parent=first.parent,
            other_parent=other.parent,
            name=first.name,
        ),
        where=str(first.entry.position),
        remedy=tr(
            "List it under {kind!r} of the manifest, with the settings that both need: those count.", kind=first.kind
        ),
    )
