"""What a delta leaves out: how its index says so when it is written, and how much it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bundler.model.json_listing import listing_pieces, load_listing
from bundler.model.json_value import dump_canonical, load_strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.delta_mark import Base, Mark
    from bundler.model.json_value import Json
    from bundler.model.patch_recipe import PatchRecipe

# keys of a delta, at the head of its index and in the entries of paths; and the list of these entries
_MARKS, _LIST = ("base", "patch"), "files"


@dataclass(frozen=True, slots=True)
class DeltaMarks:
    """The marks of a bundle's paths.

    Arguments:
        bases: what the delta builds on; empty for an archive that carries everything.
        marks: by path, of all paths that are not carried whole.
    """

    bases: tuple[Base, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def marked(self, index: BundleIndex) -> BundleIndex:
        """Return a full bundle's index as that of the delta."""
        if not self.bases:
            return index
        files = tuple(replace(file, mark=self.marks.get(file.path)) for file in index.files)
        return replace(index, bases=self.bases, files=files)


NO_MARKS = DeltaMarks()


@dataclass(frozen=True, slots=True)
class BaseShare:
    """What a delta's archive leaves to one of its bases.

    Arguments:
        files, content_bytes: how many, and their bytes.
    """

    base: Base
    files: int
    content_bytes: int


def base_shares(index: BundleIndex) -> tuple[BaseShare, ...]:
    """Return what an archive leaves to its bases, in their order; those that have nothing of it are left out."""
    marked: dict[int, list[IndexedFile]] = {}
    for file in index.files:
        if file.mark is not None:
            marked.setdefault(file.mark.base, []).append(file)
    return tuple(
        BaseShare(index.bases[number], len(files), sum(file.blob.size for file in files))
        for number, files in sorted(marked.items())
    )


def full_index_pieces(index_bytes: bytes) -> Iterator[bytes]:
    """Yield, in pieces, the bundle.json of the full archive: a delta's without its bases and marks.

    Nothing else of it changes, whatever an older or newer version has written there.
    """
    listing = load_listing(index_bytes, _LIST, _unmarked)
    items = list(listing.items)
    members = {key: value for key, value in listing.members.items() if key not in (*_MARKS, _LIST)}
    return listing_pieces(members, _LIST, map(load_strict, items))


def _unmarked(item: dict[str, Json]) -> bytes:
    # as text: thousands of items as mappings take several times the room
    return dump_canonical({key: value for key, value in item.items() if key not in _MARKS})


def mark_of(file: IndexedFile) -> Mark:
    """Return the mark of a file that an archive does not carry whole."""
    if file.mark is None:
        raise AssertionError(f"{file.path} is carried")
    return file.mark


def recipe_of(file: IndexedFile) -> PatchRecipe:
    """Return how a file that an archive has a patch for is made of it."""
    recipe = mark_of(file).recipe
    if recipe is None:
        raise AssertionError(f"{file.path} has no patch")
    return recipe


def bases_of(index: BundleIndex, files: Iterable[IndexedFile]) -> tuple[Base, ...]:
    """Return the bases that some files are left to."""
    return tuple(index.bases[number] for number in sorted({file.mark.base for file in files if file.mark is not None}))
