"""What differs between two locks, artifact by artifact. Pure; refuses to know where the locks come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from bundler.model.artifact import table_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.lock import Lock


@dataclass(frozen=True, slots=True)
class LockChange:
    """One artifact that was added, removed or changed; versions are "" and sizes 0 (bytes) on the side it is not on."""

    what: Literal["added", "removed", "changed"]
    kind: str
    key: str
    old_version: str
    new_version: str
    old_size: int
    new_size: int


@dataclass(frozen=True, slots=True)
class Version:
    """What is compared of an artifact, and its size in bytes."""

    version: str
    size: int


# kind -> key -> version: what a comparison needs of a lock, which may be let go
Versions = Mapping[str, Mapping[str, Version]]


def lock_versions(lock: Lock) -> Versions:
    """Return what two locks are compared by."""
    table: dict[str, dict[str, Version]] = {}
    for entry in lock.entries:
        of_kind = table.setdefault(entry.kind, {})
        of_kind.update((artifact.key, Version(artifact.version, artifact.size)) for artifact in entry.artifacts)
    return table


def lock_diff(old: Versions, new: Versions) -> tuple[LockChange, ...]:
    """Return all changes from one lock to another, in the order of tables; equal pins are no change."""
    return tuple(
        change
        for kind in sorted(old.keys() | new.keys())
        for change in _changes(kind, old.get(kind, {}), new.get(kind, {}))
    )


def _changes(kind: str, before: Mapping[str, Version], after: Mapping[str, Version]) -> Iterator[LockChange]:
    for key in sorted(before.keys() | after.keys(), key=partial(table_order, kind)):
        left, right = before.get(key), after.get(key)
        if left and right:
            if left.version != right.version:
                yield LockChange("changed", kind, key, left.version, right.version, left.size, right.size)
        elif left:
            yield LockChange("removed", kind, key, left.version, "", left.size, 0)
        elif right:
            yield LockChange("added", kind, key, "", right.version, 0, right.size)
