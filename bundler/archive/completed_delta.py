"""A delta as a bundle that is whole: its archive, and from the bundles of a root what the archive leaves to its bases.

Trusts none of them: whoever unpacks compares every file with bundle.json. Owns that the archive and its marks agree.
"""

from __future__ import annotations

import hashlib
import os
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from bundler.archive.base_files import find_base_files
from bundler.archive.bundle_reader import ArchivedFile
from bundler.archive.delta_marks import bases_of, mark_of, recipe_of
from bundler.archive.faults import base_missing, damaged
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from io import FileIO

    from bundler.archive.base_files import BaseFiles
    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.bundle_root import BundleRoot
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.ownership import OwnershipFault
    from bundler.archive.staging import Staging
    from bundler.errors import IntegrityError
    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Digest

_READ_BYTES = 1024 * 1024


class CompletedDelta:
    """See `BundleReader`; made by `completed`.

    Arguments:
        left: the files that are taken from the root as they are.
        patched: the files that each patch of the archive has to make.
        scratch: opens an empty file for a patch.
    """

    gives_all = True

    def __init__(
        self,
        archive: BundleReader,
        left: Sequence[IndexedFile],
        patched: Mapping[str, Sequence[IndexedFile]],
        bases: BaseFiles,
        scratch: Callable[[], int],
    ) -> None:
        self.checked: CheckedIndex = archive.checked
        self.signatures: Mapping[str, bytes] = archive.signatures
        self._archive = archive
        self._left = left
        self._patched = patched
        self._bases = bases
        self._scratch = scratch

    @property
    def directory_dates(self) -> Mapping[str, int]:
        """Those of the archive, which has every directory."""
        return self._archive.directory_dates

    @property
    def missing_directories(self) -> Sequence[str]:
        """Those of the archive."""
        return self._archive.missing_directories

    @property
    def faults(self) -> Sequence[tuple[str, OwnershipFault]]:
        """Those of the archive."""
        return self._archive.faults

    def expected(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        """Return the wanted paths, and whatever else the archive carries."""
        return {*wanted, *self._archive.expected(wanted)} - self._patched.keys()

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        """Yield the files of the archive, and what its patches lead to, then those that it leaves to its bases.

        Raises as the archive's reader does; IntegrityError (BUNDLE_DAMAGED for a patch that does not fit, BASE_MISSING
        when a base is gone by now), ToolMissingError (a zlib that gives other bytes).
        """
        for file in self._archive.files(wanted):
            if results := self._patched.get(file.path):
                yield from self._made(file, results)
            else:
                yield file
        for result in self._left:
            with self._opened(result, result.blob.digest) as stream:
                yield _archived(result, _chunks(stream))

    def _made(self, patch: ArchivedFile, results: Sequence[IndexedFile]) -> Iterator[ArchivedFile]:
        with os.fdopen(self._scratch(), "w+b") as kept:
            require_blob(patch, kept, self.checked.where)
            for result in results:
                kept.seek(0)
                with self._opened(result, mark_of(result).needed(result.blob.digest)) as base:
                    yield _archived(result, applied(result, base, _chunks(kept), self.checked.where))

    def _opened(self, file: IndexedFile, content: Digest) -> FileIO:
        try:
            return self._bases.open(content)
        except OSError as error:
            # somebody has removed it meanwhile
            raise _base_missing(self.checked, [file], self._bases) from error


def require_blob(patch: ArchivedFile, out: BinaryIO, where: str) -> None:
    """Copy a patch out of its archive. Raises IntegrityError (BUNDLE_DAMAGED) unless it is the listed one."""
    digest = hashlib.sha256()
    for chunk in patch.chunks:
        digest.update(chunk)
        out.write(chunk)
    if patch.listed is None or digest.hexdigest() != (want := patch.listed.blob.digest.hex):
        what = tr("{path} holds other bytes", path=patch.path)
        raise damaged(where, what, want=want if patch.listed else "", got=digest.hexdigest())


def applied(file: IndexedFile, base: BinaryIO | FileIO, patch: Iterator[bytes], where: str) -> Iterator[bytes]:
    """Yield what a patch makes of a base's file; the caller compares it with what is listed.

    Raises IntegrityError (BUNDLE_DAMAGED), ToolMissingError.
    """
    # its libraries take long to load, and few archives are deltas
    from bundler.delta.applying import patched_chunks
    from bundler.delta.window_frame import DamagedPatchError

    left = file.blob.size
    try:
        for chunk in patched_chunks(recipe_of(file), base, patch):
            left -= len(chunk)
            if left < 0:
                # what a recipe allows contents to be is a thousand times more than what they should be compressed to
                raise DamagedPatchError(tr("it gives more than {size} bytes", size=file.blob.size))
            yield chunk
    except DamagedPatchError as error:
        what = tr("{path} cannot be made of its base and its patch: {error}", path=file.path, error=error)
        raise damaged(where, what, want=file.blob.digest.hex, got=tr("something else")) from error


def completed(reader: BundleReader, absent: AbstractSet[str], staging: Staging, *, root: BundleRoot) -> BundleReader:
    """Return a reader of all absent files: the one given, with the bundles of a root beside a delta's archive.

    Arguments:
        staging: where what is needed meanwhile lies.

    Raises IntegrityError (BASE_MISSING) when content is nowhere; OSError.
    """
    left = left_to_bases(reader, absent)
    if not left:
        return reader
    # what a patch leads to may be there too, as a file that could not be linked
    bases = find_base_files(root, chain.from_iterable(map(_useful, left)))
    whole = [file for file in left if file.blob.digest in bases.found]
    made = {file.path: file for file in left if file.blob.digest not in bases.found}
    if missing := [file for file in made.values() if mark_of(file).needed(file.blob.digest) not in bases.found]:
        raise _base_missing(reader.checked, missing, bases)
    patched = {
        path: wanted
        for path, files in reader.checked.patched.items()
        if (wanted := [file for file in files if file.path in made])
    }
    return CompletedDelta(reader, whole, patched, bases, staging.scratch)


def _useful(file: IndexedFile) -> tuple[Digest, Digest]:
    return file.blob.digest, mark_of(file).needed(file.blob.digest)


def largest_patch(reader: BundleReader) -> int:
    """Return the room that completing takes meanwhile, in bytes."""
    checked = reader.checked
    return max((checked.carried[path].blob.size for path in checked.patched), default=0) if reader.gives_all else 0


def _base_missing(checked: CheckedIndex, missing: Sequence[IndexedFile], bases: BaseFiles) -> IntegrityError:
    wanted_of = bases_of(checked.index, missing)
    return base_missing(checked.where, wanted_of, [file.path for file in missing], bases.root.path, bases.rotted)


def left_to_bases(reader: BundleReader, paths: Iterable[str]) -> list[IndexedFile]:
    """Return which files of some paths the reader does not give: those that a delta's archive does not carry."""
    # what gives single files is complete, whatever its archive left out
    if not (reader.gives_all and reader.checked.index.bases):
        return []
    files = (reader.checked.listed[path] for path in sorted(paths))
    return [file for file in files if file.mark is not None]


def _archived(file: IndexedFile, chunks: Iterator[bytes]) -> ArchivedFile:
    return ArchivedFile(file.path, file.blob.size, mark_of(file).date, file, chunks)


def _chunks(stream: BinaryIO | FileIO) -> Iterator[bytes]:
    while data := stream.read(_READ_BYTES):
        yield data
