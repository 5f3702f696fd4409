"""What going from one lock to another brings, in the words of those who approve it. Pure.

Owns which two artifacts are versions of one thing, and which of them is the newer one. What differs is found by
`bundler.model.diff`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from bundler.model.artifact import table_order
from bundler.model.diff import lock_diff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.diff import LockChange, Version, Versions

# of the same name: `replaced` has the same version and other bytes, of `changed` nobody knows which is newer
Move = Literal["downgraded", "replaced", "upgraded", "changed", "added", "removed"]
MOVES: tuple[Move, ...] = get_args(Move)


@dataclass(frozen=True, slots=True)
class UpgradeStep:
    """One thing that comes, goes or changes.

    Arguments:
        name: the artifact's key; of one whose key has its version in it, what the versions have in common.
        old, new: versions, digests where those are all that there is; "" on the side it is not on.
        old_size, new_size: bytes, 0 on the side it is not on.
    """

    move: Move
    kind: str
    name: str
    old: str
    new: str
    old_size: int
    new_size: int

    @property
    def added_bytes(self) -> int:
        """How much larger it became; negative for smaller."""
        return self.new_size - self.old_size


@dataclass(frozen=True, slots=True)
class Changes:
    """What a bundle is compared with, and what changes.

    Arguments:
        name: of the earlier bundle, or of the file of a lock, which has neither release nor id.
    """

    name: str
    release: str
    id: str
    steps: tuple[UpgradeStep, ...]


def upgrade_steps(old: Versions, new: Versions) -> tuple[UpgradeStep, ...]:
    """Return what changes between two locks, the alarming moves first, each in the order of tables.

    One version that goes and one that comes, of the same series, are one step.
    """
    changes = lock_diff(old, new)
    successors = _successors(changes, old, new)
    followed = set(successors.values())
    steps: list[UpgradeStep] = []
    for change in changes:
        place = (change.kind, change.key)
        if place in followed:
            continue
        before = successors.get(place, place)
        left, right = old.get(change.kind, {}).get(before[1]), new.get(change.kind, {}).get(change.key)
        name = right.series if right is not None and before != place else change.key
        steps.append(_step(change.kind, name, left, right))
    return tuple(sorted(steps, key=_order))


def _order(step: UpgradeStep) -> tuple[int, tuple[str, list[str]], str, str]:
    return MOVES.index(step.move), table_order(step.kind, step.name), step.old, step.new


def move_counts(steps: Sequence[UpgradeStep]) -> dict[Move, int]:
    """Return how many steps there are of each move that occurs, in the order of `MOVES`."""
    counts = {move: sum(step.move == move for step in steps) for move in MOVES}
    return {move: count for move, count in counts.items() if count}


def _successors(changes: Sequence[LockChange], old: Versions, new: Versions) -> dict[tuple[str, str], tuple[str, str]]:
    """Return kind and key of what is added -> those of the one that it takes the place of."""
    gone: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    come: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for change in changes:
        if change.what == "removed" and (series := old[change.kind][change.key].series):
            gone[change.kind, series].append(change.key)
        elif change.what == "added" and (series := new[change.kind][change.key].series):
            come[change.kind, series].append(change.key)
    return {
        (kind, keys[0]): (kind, gone[kind, series][0])
        for (kind, series), keys in come.items()
        if len(keys) == len(gone.get((kind, series), ())) == 1
    }


def _step(kind: str, name: str, left: Version | None, right: Version | None) -> UpgradeStep:
    old, new = _shown(left, right)
    move: Move
    if left is None:
        move = "added"
    elif right is None:
        move = "removed"
    elif left.version == right.version:
        move = "replaced"
    else:
        move = _direction(left, right)
    return UpgradeStep(move, kind, name, old, new, left.size if left else 0, right.size if right else 0)


def _direction(left: Version, right: Version) -> Move:
    order = right.label_order(left.label, right.label) if right.label_order is not None else 0
    if not order:
        return "changed"
    return "upgraded" if order < 0 else "downgraded"


def _shown(left: Version | None, right: Version | None) -> tuple[str, str]:
    """Return the versions of both sides in words that differ: labels, or the versions themselves."""
    if left is not None and right is not None and left.label == right.label:
        return left.version, right.version
    return _word(left), _word(right)


def _word(version: Version | None) -> str:
    return "" if version is None else version.label or version.version
