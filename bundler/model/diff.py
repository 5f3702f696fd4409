"""What differs between two locks, artifact by artifact. Pure; refuses to know where the locks come from.

Which of two versions is the newer one is told by `bundler.model.upgrade`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from bundler.model.artifact import Versioned, table_order
from bundler.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.artifact import Artifact
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
    """What is compared of an artifact.

    Arguments:
        size: in bytes.
        content: what its bytes are, where the version does not tell; else "".
        series, label, label_order: see `Versioned`; "" and None for an artifact that is none.
    """

    version: str
    size: int
    content: str = ""
    series: str = ""
    label: str = ""
    label_order: Callable[[str, str], int] | None = None

    @classmethod
    def of(cls, artifact: Artifact) -> Version:
        """Return that of an artifact, which may be let go."""
        if not isinstance(artifact, Versioned):
            return cls(artifact.version, artifact.size)
        digests = [str(blob.digest) for blob in artifact.blobs]
        content = "" if artifact.version in digests else Digest.sha256("\n".join(digests).encode()).hex
        return cls(artifact.version, artifact.size, content, artifact.series, artifact.label, artifact.label_order)


# kind -> key -> version: what a comparison needs of a lock, which may be let go
Versions = Mapping[str, Mapping[str, Version]]


def lock_versions(lock: Lock) -> Versions:
    """Return what two locks are compared by."""
    table: dict[str, dict[str, Version]] = {}
    for entry in lock.entries:
        of_kind = table.setdefault(entry.kind, {})
        of_kind.update((artifact.key, Version.of(artifact)) for artifact in entry.artifacts)
    return table


def lock_diff(old: Versions, new: Versions) -> tuple[LockChange, ...]:
    """Return all changes from one lock to another, in the order of tables; equal pins are no change.

    Other bytes of the same version are one.
    """
    return tuple(
        change
        for kind in sorted(old.keys() | new.keys())
        for change in _changes(kind, old.get(kind, {}), new.get(kind, {}))
    )


def _changes(kind: str, before: Mapping[str, Version], after: Mapping[str, Version]) -> Iterator[LockChange]:
    for key in sorted(before.keys() | after.keys(), key=partial(table_order, kind)):
        left, right = before.get(key), after.get(key)
        if left and right:
            if (left.version, left.content) != (right.version, right.content):
                yield LockChange("changed", kind, key, left.version, right.version, left.size, right.size)
        elif left:
            yield LockChange("removed", kind, key, left.version, "", left.size, 0)
        elif right:
            yield LockChange("added", kind, key, "", right.version, 0, right.size)
