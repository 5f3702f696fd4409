"""Where the content of a merged bundle comes from: which bundle gives what, and what is made by whose patch. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.digest import Digest
    from bundler.model.subset import Subset


@dataclass(frozen=True, slots=True)
class MergedSource:
    """One of the bundles that are merged.

    Arguments:
        index: its own.
        in_archive: whether it is an archive, which may leave paths to its bases; a tree has all of them.
        subset: which of them a tree holds; None for all.
    """

    index: BundleIndex
    in_archive: bool
    subset: Subset | None = None

    def gives(self, file: IndexedFile) -> bool:
        """Tell whether a listed file can be read there."""
        return file.mark is None if self.in_archive else self.subset is None or self.subset.wants(file)


@dataclass(frozen=True, slots=True)
class SourceShare:
    """What is taken from one bundle.

    Arguments:
        whole: content that it has, by digest, each with one path of it.
        made: content that its patches lead to.
    """

    whole: dict[Digest, IndexedFile]
    made: dict[Digest, IndexedFile]

    @property
    def sizes(self) -> list[int]:
        """The bytes of each content."""
        return [file.blob.size for file in (*self.whole.values(), *self.made.values())]


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What is taken from each bundle, in their order, and the files of the last one whose content nobody has."""

    taken: tuple[SourceShare, ...]
    missing: tuple[IndexedFile, ...]


def merge_plan(sources: Sequence[MergedSource]) -> MergePlan:
    """Return where all content of the last bundle comes from, each from the newest one that has it.

    A patch is applied to what an older bundle gives, so that a delta of a delta is whole again.
    """
    # content that is needed, with the file of the last bundle that needs it
    needed = {file.blob.digest: file for file in sources[-1].index.files}
    taken: list[SourceShare] = []
    for source in reversed(sources):
        here = SourceShare({}, {})
        patched: dict[Digest, IndexedFile] = {}
        for file in source.index.files:
            digest = file.blob.digest
            if digest not in needed:
                continue
            if source.gives(file):
                here.whole.setdefault(digest, file)
            elif source.in_archive and file.mark is not None and file.mark.recipe is not None:
                patched.setdefault(digest, file)
        bases: dict[Digest, IndexedFile] = {}
        for digest, file in patched.items():
            if digest not in here.whole and file.mark is not None:
                here.made[digest] = file
                bases[file.mark.needed(digest)] = needed[digest]
        for digest in (*here.whole, *here.made):
            del needed[digest]
        needed = {**bases, **needed}
        taken.append(here)
    return MergePlan(tuple(reversed(taken)), tuple(needed.values()))
