"""Where the content of a merged bundle comes from: which bundle gives what, and what is made by whose patch. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.digest import Blob, Digest
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

    def patched(self, file: IndexedFile) -> Digest | None:
        """Return what a patch of it makes a file of; None where it has no patch for it."""
        if not self.in_archive or file.mark is None or file.mark.recipe is None:
            return None
        return file.mark.recipe.base


@dataclass(frozen=True, slots=True)
class SourceShare:
    """What is taken from one bundle.

    Arguments:
        whole: content that it has, by a path of it.
        made: content that its patches lead to.
    """

    whole: dict[str, Blob]
    made: frozenset[Blob]

    @property
    def sizes(self) -> list[int]:
        """The bytes of each content."""
        return [blob.size for blob in (*self.whole.values(), *self.made)]


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What is taken from each bundle, in their order, and the files of the last one whose content nobody has."""

    taken: tuple[SourceShare, ...]
    missing: tuple[IndexedFile, ...]


def merge_plan(sources: Sequence[MergedSource]) -> MergePlan:
    """Return where all content of the last bundle comes from, each from the newest one that can give it.

    A patch is applied to what an older bundle gives, so that a delta of a delta is whole again. One whose base no older
    bundle gives is passed over: an older one may have what it leads to.
    """
    since = _available_since(sources)
    # content that is needed, with the file of the last bundle that needs it
    needed = {file.blob.digest: file for file in sources[-1].index.files}
    taken: list[SourceShare] = []
    for number, source in reversed([*enumerate(sources)]):
        whole: dict[Digest, IndexedFile] = {}
        made: dict[Digest, IndexedFile] = {}
        for file in source.index.files:
            digest = file.blob.digest
            if digest not in needed:
                continue
            if source.gives(file):
                whole.setdefault(digest, file)
            elif (base := source.patched(file)) is not None and since.get(base, number) < number:
                made.setdefault(digest, file)
        bases: dict[Digest, IndexedFile] = {}
        for digest, file in made.items():
            if digest not in whole and (base := source.patched(file)) is not None:
                bases[base] = needed[digest]
        for digest in whole.keys() | made.keys():
            del needed[digest]
        needed = {**bases, **needed}
        patched = frozenset(file.blob for digest, file in made.items() if digest not in whole)
        taken.append(SourceShare({file.path: file.blob for file in whole.values()}, patched))
    return MergePlan(tuple(reversed(taken)), tuple(needed.values()))


def _available_since(sources: Sequence[MergedSource]) -> dict[Digest, int]:
    """Return, for all content that can be given, the number of the oldest bundle that gives it."""
    since: dict[Digest, int] = {}
    for number, source in enumerate(sources):
        for file in source.index.files:
            base = source.patched(file)
            if source.gives(file) or (base is not None and since.get(base, number) < number):
                since.setdefault(file.blob.digest, number)
    return since
