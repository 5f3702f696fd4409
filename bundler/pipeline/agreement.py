"""Does a lock still answer its manifest? Decides; changes neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.model.lock import EntryName
from bundler.model.manifest import entry_fingerprint

if TYPE_CHECKING:
    from bundler.model.lock import Lock
    from bundler.model.manifest import Manifest


def disagreements(manifest: Manifest, lock: Lock) -> tuple[str, ...]:
    """Return, one line each, what the manifest asks for and the lock does not answer, and the other way round."""
    lines: list[str] = []
    wanted = {EntryName(kind, entry.id): entry for kind, entries in manifest.entries.items() for entry in entries}
    for name, entry in wanted.items():
        locked = lock.entry(*name)
        if locked is None:
            lines.append(f"{entry.position}: {name} is not in the lock")
        elif locked.derived_from is not None:
            lines.append(f"{entry.position}: {name} is in the lock only as what {locked.derived_from} yields")
        elif locked.fingerprint != entry_fingerprint(entry):
            lines.append(f"{entry.position}: {name} was locked from other settings")
    lines += [
        f"{entry.name} is in the lock but no longer in the manifest"
        for entry in lock.entries
        if entry.derived_from is None and entry.name not in wanted
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
