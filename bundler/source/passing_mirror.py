"""The bundle of a running mirror, looked at and not kept: its files are hashed as they come, and take no room anywhere.

Keeps the manifest and the lock alone, in memory, for those who read what a bundle says of itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from bundler.archive.bundle_reader import ArchivedFile, GivesSingleFiles
from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.bundle import LOCK_PATH, MANIFEST_PATH, MAX_INDEX_BYTES
from bundler.model.digest import Digest
from bundler.model.progress import Unwatched
from bundler.source.mirror_errors import mirror_errors
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from bundler.archive.checked_index import CheckedIndex
    from bundler.model.bundle import IndexedFile
    from bundler.net.interface import Downloader

# of a file that came, and is not the listed one
OTHER_SIZE = -1
_KEPT = frozenset({MANIFEST_PATH, LOCK_PATH})


class HashedContent:
    """A `Sink` that holds no bytes, only how many they were and their SHA-256."""

    def __init__(self) -> None:
        self.restart("")

    @property
    def offset(self) -> int:
        """Bytes that have come."""
        return self._offset

    @property
    def validator(self) -> str:
        """What `restart` was given."""
        return self._validator

    def restart(self, validator: str) -> None:
        """Begin anew."""
        self._offset, self._validator, self._hash = 0, validator, hashlib.sha256()

    def write(self, data: bytes | memoryview) -> None:
        """Count and hash."""
        self._offset += len(data)
        self._hash.update(data)

    def digest(self, algorithm: str) -> Digest:
        """Return the digest of all bytes; ValueError for another algorithm than sha256."""
        if algorithm != self._hash.name:
            raise ValueError(tr("{algorithm} is not what was hashed", algorithm=algorithm))
        return Digest(algorithm, self._hash.hexdigest())


@dataclass(frozen=True, slots=True)
class PassingMirror(GivesSingleFiles):
    """See `BundleReader`: what it yields has a digest and no content, manifest.yaml and lock.json excepted.

    Arguments:
        url: what stands before a path of the bundle, with `/` at its end.
        date: of bundle.json, in seconds since the epoch.
    """

    url: str
    checked: CheckedIndex
    signatures: Mapping[str, bytes]
    date: int
    downloader: Downloader
    directory_dates: Mapping[str, int]

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        """Yield the wanted files that the mirror has, by path. Raises SourceError."""
        for path in sorted(wanted):
            if (file := self._passed(self.checked.listed[path])) is not None:
                yield file

    def _passed(self, file: IndexedFile) -> ArchivedFile | None:
        url, content = self.url + quote(file.path), HashedContent()
        try:
            with mirror_errors():
                if file.path in _KEPT:
                    data = self.downloader.read(url, max_bytes=MAX_INDEX_BYTES).data
                    return ArchivedFile(file.path, len(data), self.date, file, iter((data,)))
                self.downloader.download([url], content, Unwatched(), size=file.blob.size)
        except IntegrityError:
            return ArchivedFile(file.path, OTHER_SIZE, self.date, file, iter(()))
        except SourceError as error:
            if error.id is not ErrorId.SOURCE_NOT_FOUND:
                raise
            return None
        return ArchivedFile(file.path, content.offset, self.date, file, iter(()), digest=content.digest("sha256"))
