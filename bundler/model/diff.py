"""What differs between two locks, artifact by artifact. Pure; refuses to know where the locks come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bundler.model.artifact import Artifact
    from bundler.model.lock import Lock


@dataclass(frozen=True, slots=True)
class Change:
    """One artifact that was added, removed or changed; versions are "" and sizes 0 (bytes) on the side it is not on."""

    what: Literal["added", "removed", "changed"]
    kind: str
    key: str
    old_version: str
    new_version: str
    old_size: int
    new_size: int


def lock_diff(old: Lock, new: Lock) -> tuple[Change, ...]:
    """Return all changes from one lock to another, sorted by kind and key; equal pins are no change."""
    before, after = _artifacts(old), _artifacts(new)
    changes = []
    for kind, key in sorted(before.keys() | after.keys()):
        left, right = before.get((kind, key)), after.get((kind, key))
        if left and right:
            if left.version != right.version:
                change = Change("changed", kind, key, left.version, right.version, left.size, right.size)
                changes.append(change)
        elif left:
            changes.append(Change("removed", kind, key, left.version, "", left.size, 0))
        elif right:
            changes.append(Change("added", kind, key, "", right.version, 0, right.size))
    return tuple(changes)


def _artifacts(lock: Lock) -> dict[tuple[str, str], Artifact]:
    return {(entry.kind, artifact.key): artifact for entry in lock.entries for artifact in entry.artifacts}
