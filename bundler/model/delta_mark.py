"""What bundle.json says of an archive that leaves out what other bundles hold: its bases, and a mark per path.

Owns these keys, and no path's bytes. A mark tells what the *archive* carries; a tree that was completed has the same
bundle.json and all listed paths. docs/adr/0054. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.bundle_path import BundlePath
from bundler.model.digest import ID_CHARACTERS, Digest
from bundler.model.json_value import Json, want_count, want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.model.patch_recipe import PatchRecipe

# what the date of a tar header holds without an extension
MAX_DATE = 8**11 - 1
# below it an archive has the patches, each under the hex SHA-256 of what it leads to
PATCH_DIRECTORY = BundlePath("@delta")
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

    @property
    def plain(self) -> str:
        """What it is called on pages that have no language: the beginning of the id, or the digest."""
        return self.bundle[:ID_CHARACTERS] if self.lock is None else str(self.lock)

    def __str__(self) -> str:
        if self.lock is not None:
            return tr("lock {digest}", digest=self.lock)
        return tr("bundle {id}", id=self.bundle[:ID_CHARACTERS])

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
        recipe: how it is made of a file of the base and a patch of the archive; None where a base has it as it is.
    """

    base: int
    date: int
    recipe: PatchRecipe | None = None

    def needed(self, content: Digest) -> Digest:
        """Return what a base has to have for a path of this content."""
        return content if self.recipe is None else self.recipe.base


def patch_path(result: Digest) -> BundlePath:
    """Return where an archive has the patch that leads to some content."""
    return BundlePath(f"{PATCH_DIRECTORY}/{result.hex}")


def encode_mark(mark: Mark | None) -> dict[str, Json]:
    """Return the key that a path's entry has beside the others; nothing for a path that is carried whole."""
    if mark is None:
        return {}
    place: dict[str, Json] = {"from": mark.base, "date": mark.date}
    if mark.recipe is None:
        return {"base": place}
    from bundler.model.patch_recipe import encode_recipe  # few bundles have any

    return {"patch": {**encode_recipe(mark.recipe), **place}}


def decode_mark(item: Mapping[str, Any]) -> Mark | None:
    """Read the mark in a path's entry; ValueError, KeyError or TypeError for what is none."""
    if "base" not in item and "patch" not in item:
        return None
    if "base" in item and "patch" in item:
        raise ValueError(tr("a path is either in a base or made by a patch"))
    value = item["base"] if "base" in item else item["patch"]
    mark = Mark(want_count(value["from"]), want_count(value["date"]), _decoded_recipe(item))
    if mark.date > MAX_DATE:
        raise ValueError(tr("the date {date} is none that an archive can hold", date=mark.date))
    return mark


def _decoded_recipe(item: Mapping[str, Any]) -> PatchRecipe | None:
    if "patch" not in item:
        return None
    from bundler.model.patch_recipe import decode_recipe  # few bundles have any

    return decode_recipe(item["patch"], want_count(item["size"]))


def require_listed(marks: Iterable[Mark], bases: Sequence[Base]) -> None:
    """Raise ValueError when a mark names a base that is not in the list."""
    if any(mark.base >= len(bases) for mark in marks):
        raise ValueError(tr("a path is left to a base that is not listed"))
