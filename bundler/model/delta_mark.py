"""What bundle.json says of an archive that leaves out what other bundles hold: its bases, and a mark per path.

Owns these keys, and no path's bytes. A mark tells what the *archive* carries; a tree that was completed has the same
bundle.json and all listed paths. docs/adr/0054. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.digest import Digest
from bundler.model.json_value import Json, want_count, want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# what the date of a tar header holds without an extension
MAX_DATE = 8**11 - 1
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Base:
    """What a delta builds on: one bundle, or each bundle that was built from one lock.

    Arguments:
        bundle: the bundle's id in full, or "".
        lock: the digest that bundle.json calls `lock`, or None; exactly one of the two is given.
    """

    bundle: str = ""
    lock: Digest | None = None

    def __post_init__(self) -> None:
        if bool(self.bundle) == (self.lock is not None) or (self.bundle and not _ID.fullmatch(self.bundle)):
            raise ValueError(tr("a base is the id of a bundle, or the digest of a lock"))

    def __str__(self) -> str:
        return f"bundle {self.bundle}" if self.lock is None else f"lock {self.lock}"

    def encode(self) -> Json:
        """Return its JSON object."""
        return {"id": self.bundle} if self.lock is None else {"lock": str(self.lock)}

    @classmethod
    def decode(cls, value: Any) -> Base:
        """Read what `encode` wrote; ValueError, KeyError or TypeError when it is something else."""
        if "lock" in value:
            return cls(lock=Digest.parse(want_text(value["lock"])))
        return cls(want_text(value["id"]))


@dataclass(frozen=True, slots=True)
class Mark:
    """Why an archive does not carry a path whole.

    Arguments:
        base: which base has what is needed, as its place in the list of bases.
        date: the date that the path has in an archive which carries it, in seconds since the epoch.
    """

    base: int
    date: int


def encode_mark(mark: Mark | None) -> dict[str, Json]:
    """Return the key that a path's entry has beside the others; nothing for a path that is carried whole."""
    return {} if mark is None else {"base": {"from": mark.base, "date": mark.date}}


def decode_mark(item: Mapping[str, Any]) -> Mark | None:
    """Read the mark in a path's entry; ValueError, KeyError or TypeError for what is none."""
    value = item.get("base")
    if value is None:
        return None
    mark = Mark(want_count(value["from"]), want_count(value["date"]))
    if mark.date > MAX_DATE:
        raise ValueError(tr("the date {date} is none that an archive can hold", date=mark.date))
    return mark


def require_listed(marks: Iterable[Mark], bases: Sequence[Base]) -> None:
    """Raise ValueError when a mark names a base that is not in the list."""
    if any(mark.base >= len(bases) for mark in marks):
        raise ValueError(tr("a path is left to a base that is not listed"))
