"""Where the content of a merged bundle comes from: which bundle gives what, and what is made by whose patch. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from bundler.model.blob_set import BlobSet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable

    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.digest import Blob, Digest
    from bundler.model.subset import Subset

# a bundle's place before the last one, and the base of a patch of it
_Unfounded = tuple[int, "Digest"]


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


def merge_plan(last: MergedSource, earlier: Callable[[], Iterable[MergedSource]]) -> MergePlan:
    """Return where all content of the last bundle comes from, each from the newest one that can give it.

    A patch is applied to what an older bundle gives, so that a delta of a delta is whole again. One whose base no older
    bundle gives is passed over: an older one may have what it leads to.

    Arguments:
        earlier: begins with the bundles before the last one, the newest of them first; each is let go before the next
            one is asked for, and all are asked for once more where patches are passed over.
    """
    passed_over: frozenset[_Unfounded] = frozenset()
    while True:
        plan, unfounded = _plan(chain((last,), earlier()), passed_over)
        if not unfounded:
            return plan
        passed_over |= unfounded


def _plan(sources: Iterable[MergedSource], passed_over: Container[_Unfounded]) -> tuple[MergePlan, set[_Unfounded]]:
    """Return a plan without some patches, and those patches of it whose base nobody gives."""
    # content that is needed, with the file of the last bundle that needs it
    needed: dict[Digest, IndexedFile] = {}
    # bases that nobody has given yet, with the bundles whose patches build on them
    awaited: dict[Digest, set[int]] = {}
    taken: list[SourceShare] = []
    for number, source in enumerate(sources):
        if not taken:
            needed = {file.blob.digest: file for file in source.index.files}
        whole: dict[Digest, IndexedFile] = {}
        made: dict[Digest, tuple[IndexedFile, Digest]] = {}
        for file in source.index.files:
            digest = file.blob.digest
            if digest not in needed:
                continue
            if source.gives(file):
                whole.setdefault(digest, file)
            elif (base := source.patched(file)) is not None and (number, base) not in passed_over:
                made.setdefault(digest, (file, base))
        bases = {base: needed[digest] for digest, (_, base) in made.items() if digest not in whole}
        for digest in whole.keys() | made.keys():
            del needed[digest]
            awaited.pop(digest, None)
        for base in bases:
            awaited.setdefault(base, set()).add(number)
        needed = {**bases, **needed}
        patched = frozenset(file.blob for digest, (file, _) in made.items() if digest not in whole)
        taken.append(SourceShare.of([file.blob for file in whole.values()], patched))
        del source, whole, made
    unfounded = {(number, base) for base, numbers in awaited.items() for number in numbers}
    return MergePlan(tuple(reversed(taken)), tuple(needed.values())), unfounded
