"""What a bundle is read through, wherever it is: its index, and its files one after the other. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bundler.archive.bundle_files import OWN_KIND
from bundler.archive.checked_index import OWN_MODE
from bundler.directory_walk import inode_of
from bundler.model.bundle import IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.ownership import OwnershipFault
    from bundler.directory_walk import Inode
    from bundler.model.digest import Digest


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of a reader's own: where it is, and which file that is, for its name may mean another one later."""

    path: Path
    inode: Inode

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> OwnFile:
        """Return the file that was opened at a path and has this status."""
        return cls(path, inode_of(status))


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file of a bundle; `listed` is None for one that the index does not name (`path/` for such a directory).

    Arguments:
        size: bytes of content, which may differ from what is listed.
        mtime: seconds since the epoch.
        chunks: its content, to be read before the next file is taken; unread content is skipped.
        at: a file of the reader's own with this content, which may get further names instead of being copied.
        digest: the SHA-256 of its content, from a reader that does not have it (any more); there are no chunks then.
    """

    path: str
    size: int
    mtime: int
    listed: IndexedFile | None
    chunks: Iterator[bytes | memoryview]
    at: OwnFile | None = None
    digest: Digest | None = None


def unlisted_file(path: str, data: bytes, mtime: int) -> ArchivedFile:
    """Return a file that no index can list, the signature of the list itself, as if it were listed."""
    listed = IndexedFile(BundlePath(path), Blob.of(data), OWN_MODE, OWN_KIND)
    return ArchivedFile(path, len(data), mtime, listed, iter((data,)))


class BundleReader(Protocol):
    """An opened bundle; whoever opened it closes it."""

    @property
    def checked(self) -> CheckedIndex:
        """Its index."""

    @property
    def gives_all(self) -> bool:
        """Whether `files` gives every file, also those that are not wanted: an archive can only be read whole."""

    @property
    def signatures(self) -> Mapping[str, bytes]:
        """Signatures of its SHA256SUMS by their paths, as far as they are known before any of its files is read."""

    def expected(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        """Return the paths that `files` has to yield for these: the bundle is damaged where one does not come."""

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        """Yield each wanted file once; others too, where `gives_all`. Nothing that it yields is verified.

        Signatures come as well, last where single files are given.

        Raises BundleFormatError, IntegrityError, SourceError, StorageError.
        """

    @property
    def directory_dates(self) -> Mapping[str, int]:
        """Dates of directories in seconds since the epoch, as far as they are known once the files were read."""

    @property
    def missing_directories(self) -> Sequence[str]:
        """Directories, as `path/`, that should have been there; to be asked when all files were read."""

    @property
    def faults(self) -> Sequence[tuple[str, OwnershipFault]]:
        """Paths whose modes or owners are not those of the index; to be asked when all files were read."""


class GivesSingleFiles:
    """What all readers have in common that can give one file and leave the rest; modes and owners are made here."""

    gives_all = False
    faults: Sequence[tuple[str, OwnershipFault]] = ()
    missing_directories: Sequence[str] = ()

    def expected(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        """Return just these."""
        return wanted
