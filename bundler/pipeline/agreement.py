"""Does a lock still answer its manifest? Decides; changes neither.

That an entry still means what it was locked for is told by its fingerprint, and that its pins are what it means by its
kind: anybody may have written in a lock since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.model.manifest import entry_fingerprint
from bundler.pipeline.discovery import derived_entries, manifest_entries
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.kinds.base import AnyKind, KindTable
    from bundler.model.lock import Lock, LockedEntry
    from bundler.model.manifest import Manifest
    from bundler.model.platform import Platform
    from bundler.pipeline.discovery import WantedEntry


def disagreements(
    manifest: Manifest, lock: Lock, kinds: KindTable, *, narrowed: Sequence[Platform] = ()
) -> tuple[str, ...]:
    """Return, one line each, what the manifest asks for and the lock does not answer, and the other way round.

    What entries yield is left to `derived_disagreements`.

    Arguments:
        narrowed: platforms that the lock may have been narrowed to, as that of a bundle for some platforms is.
    """
    lines = _entries_lines(manifest_entries(manifest), lock, kinds, narrowed)
    listed = {kind: {entry.id for entry in entries} for kind, entries in manifest.entries.items()}
    lines += [
        tr("{name} is in the lock but no longer in the manifest", name=entry.name)
        for entry in lock.entries
        if entry.derived_from is None and entry.id not in listed.get(entry.kind, ())
    ]
    lines += _variable_lines(manifest, lock)
    if lock.platforms not in (manifest.platforms, tuple(narrowed) or manifest.platforms):
        have, want = (", ".join(map(str, platforms)) for platforms in (lock.platforms, manifest.platforms))
        lines.append(
            tr("the lock is for {have}, and the manifest for {want}", have=have or tr("no platform"), want=want)
        )
    if not lines and lock.manifest != manifest.digest:
        lines.append(tr("name, release or platforms have changed since the manifest was locked"))
    return tuple(lines)


def derived_disagreements(
    manifest: Manifest,
    lock: Lock,
    kinds: KindTable,
    discovered: Sequence[WantedEntry],
    *,
    narrowed: Sequence[Platform] = (),
) -> tuple[str, ...]:
    """Return the same of the entries that other entries yield.

    Arguments:
        discovered: what entries of the manifest yield, as the lock pins them (`discovered_from_lock`).
        narrowed: as for `disagreements`.
    """
    wanted = {wanted.name: wanted for wanted in derived_entries(manifest, discovered)}
    lines = _entries_lines(wanted.values(), lock, kinds, narrowed)
    # of an entry of which narrowing left nothing, nobody can tell what it yields
    claimed = {entry.derived_from for entry in lock.entries if entry.derived_from is not None}
    asked = {entry.name for entry in lock.entries if claimed and entry.name in claimed and entry.artifacts}
    lines += [
        tr(
            "{name} is in the lock as what {derived_from} yields, which does not yield it",
            name=entry.name,
            derived_from=entry.derived_from,
        )
        for entry in lock.entries
        if entry.derived_from in asked and entry.name not in wanted
    ]
    return tuple(lines)


def _entries_lines(
    wanted: Iterable[WantedEntry], lock: Lock, kinds: KindTable, narrowed: Sequence[Platform]
) -> list[str]:
    platforms = tuple(narrowed) if lock.platforms == tuple(narrowed) else ()
    locked = lock.by_kind()
    return [
        f"{item.entry.position}: {line}"
        for item in wanted
        for line in _entry_lines(item, locked.get(item.kind, {}).get(item.entry.id), kinds[item.kind], platforms)
    ]


def _entry_lines(
    wanted: WantedEntry, locked: LockedEntry | None, kind: AnyKind, platforms: Sequence[Platform]
) -> Iterator[str]:
    """Yield how a lock does not answer one entry."""
    if wanted.failure:
        yield str(wanted.failure)
    elif locked is None:
        # narrowing leaves out an entry of which nothing is for those platforms
        if not platforms or any(kind.disagreements(wanted.entry, (), platforms)):
            yield tr("{name} is not in the lock", name=wanted.name)
    elif locked.derived_from != wanted.parent:
        yield _parent_line(locked, wanted)
    elif locked.fingerprint != entry_fingerprint(wanted.entry):
        yield tr("{name} was locked from other settings", name=wanted.name)
    else:
        for line in kind.disagreements(wanted.entry, locked.artifacts, platforms):
            yield f"{wanted.name}: {line}"


def _parent_line(locked: LockedEntry, wanted: WantedEntry) -> str:
    if wanted.parent is None:
        return tr(
            "{name} is in the lock only as what {derived_from} yields",
            name=wanted.name,
            derived_from=locked.derived_from,
        )
    listed_by = locked.derived_from or tr("the manifest")
    return tr(
        "{name} is in the lock as what {listed_by} asks for, and {parent} yields it",
        name=wanted.name,
        listed_by=listed_by,
        parent=wanted.parent,
    )


def _variable_lines(manifest: Manifest, lock: Lock) -> Iterator[str]:
    for name, text in sorted(lock.variables.items()):
        if manifest.variables.get(name) != text:
            yield tr("the lock was made with --set {name}={text}", name=name, text=text)
    for name in sorted(manifest.variables.keys() - lock.variables.keys()):
        yield tr("the lock was made without the variable {name}", name=name)


def require_answers(problems: Sequence[str], *, where: str) -> None:
    """Raise ManifestError (LOCK_OUTDATED) with every disagreement, where there are any."""
    if problems:
        raise ManifestError(
            ErrorId.LOCK_OUTDATED,
            tr("manifest and lock disagree"),
            where=where,
            remedy=tr("Run `bundler lock` to pin what changed, or undo the change in the manifest or the lock."),
            problems=problems,
        )
