"""A delta as a bundle that is whole: its archive, and from the bundles of a root what the archive leaves to its bases.

Trusts none of them: whoever unpacks compares every file with bundle.json. Owns that the archive and its marks agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from bundler.archive.base_files import find_base_files
from bundler.archive.bundle_reader import ArchivedFile
from bundler.archive.delta_marks import bases_of
from bundler.archive.faults import base_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from bundler.archive.base_files import BaseFiles
    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.bundle_root import BundleRoot
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.ownership import OwnershipFault
    from bundler.archive.staging import Staging
    from bundler.errors import IntegrityError
    from bundler.model.bundle import IndexedFile

_READ_BYTES = 1024 * 1024


class CompletedDelta:
    """See `BundleReader`; made by `completed`."""

    gives_all = True

    def __init__(self, archive: BundleReader, left: Sequence[IndexedFile], bases: BaseFiles) -> None:
        self.checked: CheckedIndex = archive.checked
        self.signatures: Mapping[str, bytes] = archive.signatures
        self._archive = archive
        self._left = left
        self._bases = bases

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
        return {*wanted, *self._archive.expected(wanted)}

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        """Yield the files of the archive, then those that it leaves to its bases. Raises as the archive's reader."""
        yield from self._archive.files(wanted)
        for file in self._left:
            with self._opened(file) as stream:
                date = file.mark.date if file.mark is not None else 0
                yield ArchivedFile(file.path, file.blob.size, date, file, _chunks(stream))

    def _opened(self, file: IndexedFile) -> BinaryIO:
        try:
            return self._bases.open(file.blob.digest)
        except OSError as error:
            # somebody has removed it meanwhile
            raise _base_missing(self.checked, [file], self._bases) from error


def completed(reader: BundleReader, absent: AbstractSet[str], staging: Staging, *, root: BundleRoot) -> BundleReader:
    """Return a reader of all absent files: the one given, with the bundles of a root beside a delta's archive.

    Arguments:
        staging: where what is needed meanwhile lies.

    Raises IntegrityError (BASE_MISSING) when content is nowhere; OSError.
    """
    del staging
    left = left_to_bases(reader, absent)
    if not left:
        return reader
    bases = find_base_files(root, (file.blob.digest for file in left))
    if missing := [file for file in left if file.blob.digest not in bases.found]:
        raise _base_missing(reader.checked, missing, bases)
    return CompletedDelta(reader, left, bases)


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


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while data := stream.read(_READ_BYTES):
        yield data
