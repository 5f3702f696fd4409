"""The order, modes and dates of an archive's members (docs/design.md, 6). Pure: placements in, members out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.bundle import INDEX_PATH, LOCK_PATH, MANIFEST_PATH, SIGNATURE_PATH, SUMS_PATH, is_signature
from bundler.model.digest import Blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from bundler.model.placement import KeptText, Placement

DIRECTORY_MODE = 0o755
# members that a reader or an installer needs first; all others follow in one group
_FIRST = (
    INDEX_PATH,
    SUMS_PATH,
    SIGNATURE_PATH,
    "install.sh",
    "bin",
    "runtime",
    MANIFEST_PATH,
    LOCK_PATH,
    "yum",
    "k8simage",
)
_RANK = {top: rank for rank, top in enumerate(_FIRST)}


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One member of the archive; `content` is None for a directory. `mtime` in seconds since the epoch."""

    path: str
    content: Blob | bytes | KeptText | None
    mode: int
    mtime: int

    @property
    def size(self) -> int:
        """Bytes of its content."""
        match self.content:
            case None:
                return 0
            case bytes():
                return len(self.content)
            case Blob():
                return self.content.size
            case _:
                return self.content.blob.size


def archive_members(
    files: Sequence[Placement], source_date_epoch: int | None = None, left_out: AbstractSet[str] = frozenset()
) -> Iterator[ArchiveMember]:
    """Yield every member of the archive in its order, each directory before its content.

    A file keeps its source's own date, at most `source_date_epoch` where that is given. Members without a date of
    their own, directories included, take the newest one; 0 when there is no date at all.

    Arguments:
        left_out: paths of files that are no members, as a delta has them; their directories are members all the same.
    """
    newest = newest_date(files, source_date_epoch)
    known: set[str] = set()
    for file in sorted(files, key=_position):
        for directory in file.path.parents:
            if directory not in known:
                known.add(directory)
                yield ArchiveMember(directory, None, DIRECTORY_MODE, newest)
        if file.path not in left_out:
            yield ArchiveMember(file.path, file.content, file.mode, member_date(file, newest, source_date_epoch))


def newest_date(files: Iterable[Placement], source_date_epoch: int | None = None) -> int:
    """Return the newest date that a member of the archive has, in seconds since the epoch."""
    return max((_capped(file.mtime, source_date_epoch) for file in files if file.mtime is not None), default=0)


def member_date(file: Placement, newest: int, source_date_epoch: int | None = None) -> int:
    """Return the date that a file has in the archive, in seconds since the epoch.

    Arguments:
        newest: what `newest_date` returns of all files.
    """
    return newest if file.mtime is None else _capped(file.mtime, source_date_epoch)


def content_bytes(members: Iterable[ArchiveMember]) -> int:
    """Return the bytes of all files together, headers not counted."""
    return sum(member.size for member in members)


def _position(file: Placement) -> tuple[int, bytes]:
    top = SIGNATURE_PATH if is_signature(file.path) else file.path.partition("/")[0]
    return _RANK.get(top, len(_RANK)), file.path.encode()


def _capped(mtime: int, latest: int | None) -> int:
    return max(0, mtime if latest is None else min(mtime, latest))
