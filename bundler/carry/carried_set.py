"""The files of an archive that was carried with parity: which archive it is, and where its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.part_names import PARITY_INDEX, archive_name, as_parity
from bundler.archive.part_set import NOWHERE_ELSE, found_in, only_archive, sums_in_list
from bundler.carry.parity_index import ParityIndex, not_protected, read_index
from bundler.durable import storage_errors
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces


@dataclass(frozen=True, slots=True)
class CarriedSet:
    """The files of one archive, whether they are there or not.

    Arguments:
        whole: the archive's name.
        directories: where they are looked for; what is missing is made anew in the first one.
    """

    whole: str
    directories: tuple[Path, ...]

    @property
    def home(self) -> Path:
        """The directory for files that are nowhere."""
        return self.directories[0]

    def locate(self, name: str) -> Path | None:
        """Return where a file lies. Raises StorageError."""
        with storage_errors(self.home):
            return found_in(self.directories, name)

    def index(self) -> ParityIndex | None:
        """Put the parity index together from what is left of it; None where there is none, or that of other files.

        Raises BundleFormatError (BUNDLE_FORMAT_NEWER), StorageError.
        """
        with storage_errors(self.home):
            index = read_index([*self._copies()])
            listed = sums_in_list(self.whole, self.directories)
        if index is None or index.header.name != self.whole:
            return None
        data = {file.name: file.blob.digest.hex for file in index.header.data}
        foreign = listed and not any(data.get(name) == known for name, known in listed.items())
        return None if foreign else index

    def required_index(self) -> ParityIndex:
        """Return the same; raises BundleFormatError (PARITY_NOT_FOUND) where there is none."""
        index = self.index()
        if index is None:
            what = tr("no copy of its parity index can be read, or it is that of other files")
            raise not_protected(
                str(self.home / self.whole), what if any(self._copies()) else tr("there is no parity of it")
            )
        return index

    def _copies(self) -> Iterator[Path]:
        if (path := self.locate(f"{self.whole}{PARITY_INDEX}")) is not None:
            yield path
        for directory in self.directories:
            if directory.is_dir():
                yield from sorted(path for path in directory.iterdir() if _is_parity(path.name, self.whole))


def find_carried(source: Path, places: PartPlaces = NOWHERE_ELSE) -> CarriedSet:
    """Find the set by its archive's name, that of any of its files, there or not, or by the directory that holds them.

    Raises BundleFormatError (BUNDLE_NOT_FOUND) for a directory with files of no set, or of several, StorageError.
    """
    with storage_errors(source):
        if source.is_dir():
            directories = (source, *places.directories)
            return CarriedSet(only_archive(source, directories), directories)
    return CarriedSet(archive_name(source.name), (source.parent, *places.directories))


def _is_parity(name: str, whole: str) -> bool:
    return (numbered := as_parity(name)) is not None and numbered.whole == whole
