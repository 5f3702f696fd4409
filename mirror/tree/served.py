"""What a URL leads to, a resource: a file or a directory. Frozen values, no I/O."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.digest import Digest
    from mirror.tree.identity import Identity


class FilePlace(NamedTuple):
    """Where a file lies: a path below an open directory, `directory` being its descriptor."""

    directory: int
    path: str


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """A file that has a URL.

    Arguments:
        place: where its bytes lie.
        size: bytes.
        etag: strong validator with its quotes (RFC 9110, 8.8.3): the SHA-256 of a listed file.
        modified_s: what Last-Modified, MDTM and listings say, in seconds since the epoch.
        media_type: for Content-Type.
        identity: of the file that was checked; None when there was none, or not the right one: nothing is served then.
        bundle: short id of the bundle that lists it, "" for a shared file.
        path: its path in the bundle or in the shared directory.
        digest: what its bytes hash to; None for a shared file.
    """

    place: FilePlace
    size: int
    etag: str
    modified_s: int
    media_type: str
    identity: Identity | None
    bundle: str
    path: str
    digest: Digest | None = None


class DirectoryEntry(NamedTuple):
    """One name in a directory; `file` is None for a directory."""

    name: str
    file: File | None


class Entries(Collection[DirectoryEntry]):
    """All names of a directory, sorted; each entry is made when the walk comes to it."""

    def __init__(self, directories: Sequence[str], files: Sequence[DirectoryEntry]) -> None:
        self._directories = directories
        self._files = files

    def __len__(self) -> int:
        return len(self._directories) + len(self._files)

    def __iter__(self) -> Iterator[DirectoryEntry]:
        below = (DirectoryEntry(name, None) for name in self._directories)
        return heapq.merge(below, self._files, key=_name)

    def __contains__(self, entry: object) -> bool:
        return any(entry == each for each in self)


def _name(entry: DirectoryEntry) -> str:
    return entry.name


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that has a URL.

    Arguments:
        path: its URL's path without slashes at either end, "" for the top.
        directories: names of the directories in it, sorted.
        files: the files in it, sorted by name; they may be made anew each time somebody looks at them.
        modified_s: for listings, in seconds since the epoch.
        bundle: short id of the bundle that it belongs to, "" for none.
        inner: its path inside that bundle, "" for the bundle's top.
    """

    path: str
    directories: Sequence[str]
    files: Sequence[DirectoryEntry]
    modified_s: int
    bundle: str
    inner: str

    @property
    def entries(self) -> Entries:
        """Everything that is visible in it, sorted by name."""
        return Entries(self.directories, self.files)


Resource = File | Directory
