"""What `--update` names of a lock, and which earlier pins stay when an entry is pinned again. Decides; pins nothing."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.model.artifact import Aliased
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.artifact import Artifact
    from bundler.model.lock import EntryName, Lock, LockedEntry


def entries_to_update(lock: Lock, patterns: Sequence[str]) -> frozenset[EntryName]:
    """Return the names of the locked entries that shell globs name, by id, or by the key or an alias of an artifact.

    What of such an entry stays is told by `earlier_pins`.

    Raises ManifestError (ENTRY_UNKNOWN) for a pattern that names nothing.
    """
    if not patterns:
        return frozenset()
    chosen: set[EntryName] = set()
    names = {
        entry.name: {entry.id, *(name for artifact in entry.artifacts for name in _names(artifact))}
        for entry in lock.entries
    }
    for pattern in patterns:
        matched = {entry for entry, known in names.items() if any(_matches(name, pattern) for name in known)}
        if not matched:
            near = difflib.get_close_matches(pattern, sorted(set[str]().union(*names.values())), n=1)
            raise ManifestError(
                ErrorId.ENTRY_UNKNOWN,
                tr("no locked entry is called {pattern!r}", pattern=pattern),
                remedy=tr("Did you mean {near!r}?", near=near[0])
                if near
                else tr("`bundler inspect` of the lock lists them."),
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
