"""Where the content of a merged bundle comes from: which bundle gives what, and what is made by whose patch. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.blob_set import BlobSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

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


@dataclass(frozen=True, slots=True)
class SourceShare:
    """What is taken from one bundle.

    Arguments:
        whole: content that it has.
        made: content that its patches lead to.
        sizes: the bytes of each content.
    """

    whole: BlobSet
    made: frozenset[Blob]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, whole: Collection[Blob], made: frozenset[Blob]) -> SourceShare:
        """Return it, without holding on to all that is whole."""
        return cls(BlobSet(whole), made, tuple(blob.size for blob in (*whole, *made)))

    def paths(self, source: MergedSource) -> dict[str, Blob]:
        """Return what is taken whole by a path of the bundle, once each."""
        found: dict[Blob, str] = {}
        for file in source.index.files:
            if file.blob in self.whole and source.gives(file):
                found.setdefault(file.blob, file.path)
        return {path: blob for blob, path in found.items()}


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What is taken from each bundle, the last one last, and the files of the last one whose content nobody has."""

    taken: tuple[SourceShare, ...]
    missing: tuple[IndexedFile, ...]


def merge_plan(sources: Iterable[MergedSource]) -> MergePlan:
    """Return where all content of the last bundle comes from, each from the newest one that has it.

    A patch is applied to what an older bundle gives, so that a delta of a delta is whole again.

    Arguments:
        sources: the last bundle first; each is let go before the next one is asked for.
    """
    # content that is needed, with the file of the last bundle that needs it
    needed: dict[Digest, IndexedFile] = {}
    taken: list[SourceShare] = []
    for source in sources:
        if not taken:
            needed = {file.blob.digest: file for file in source.index.files}
        whole: dict[Digest, IndexedFile] = {}
        made: dict[Digest, IndexedFile] = {}
        for file in source.index.files:
            digest = file.blob.digest
            if digest not in needed:
                continue
            if source.gives(file):
                whole.setdefault(digest, file)
            elif source.in_archive and file.mark is not None and file.mark.recipe is not None:
                made.setdefault(digest, file)
        bases: dict[Digest, IndexedFile] = {}
        for digest, file in made.items():
            if digest not in whole and file.mark is not None:
                bases[file.mark.needed(digest)] = needed[digest]
        for digest in whole.keys() | made.keys():
            del needed[digest]
        needed = {**bases, **needed}
        patched = frozenset(file.blob for digest, file in made.items() if digest not in whole)
        taken.append(SourceShare.of([file.blob for file in whole.values()], patched))
        del source, whole, made
    return MergePlan(tuple(reversed(taken)), tuple(needed.values()))
