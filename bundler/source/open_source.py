"""Which source a text names: a pipe (`-`), a tree, else an archive, one of its parts or their directory."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.archive_files import ArchiveFiles, archive_files
from bundler.archive.archive_pipe import ArchivePipe
from bundler.archive.archive_reader import open_archive
from bundler.archive.beside_archive import held_to_checksum
from bundler.archive.bundle_signatures import bundle_verdict
from bundler.archive.faults import not_found
from bundler.archive.part_set import NOWHERE_ELSE
from bundler.archive.tree import is_tree
from bundler.errors import ErrorId, IntegrityError
from bundler.source.tree_source import open_tree
from bundler.translation import tr
from bundler.trust.admission import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.part_set import PartPlaces
    from bundler.trust.admission import Admission

PIPE = "-"
_WHERE = tr("standard input")


@contextmanager
def open_source(
    source: str, admission: Admission = ANYTHING, places: PartPlaces = NOWHERE_ELSE
) -> Iterator[BundleReader]:
    """Open a bundle on this host, as a user names it.

    Arguments:
        admission: whose signatures it needs.
        places: where else parts of an archive may lie.

    Raises BundleFormatError, IntegrityError, StorageError.
    """
    with _opened(find_source(source, places), admission) as reader:
        bundle_verdict(reader.checked, reader.signatures, admission)
        yield reader


def _opened(found: Path | ArchiveFiles, admission: Admission) -> AbstractContextManager[BundleReader]:
    if isinstance(found, ArchiveFiles):
        return open_archive(held_to_checksum(found, admission))
    return open_tree(found)


def find_source(source: str, places: PartPlaces = NOWHERE_ELSE) -> Path | ArchiveFiles:
    """Return the directory of a tree that a user names, else the files of an archive; raises as `open_source`."""
    if source == PIPE:
        return piped()
    return Path(source) if is_tree(Path(source)) else archive_files(Path(source), places)


def require_id(checked: CheckedIndex, wanted: str) -> None:
    """Raise IntegrityError (BUNDLE_OTHER_ID) unless a bundle's id begins as wanted; "" is every id's beginning."""
    if not checked.id.startswith(wanted):
        raise IntegrityError(
            ErrorId.BUNDLE_OTHER_ID,
            tr("is another bundle than the one that is wanted"),
            where=checked.where,
            remedy=tr("Take it from another place, or ask whoever named the id."),
            want=wanted,
            got=checked.id,
        )


def piped() -> ArchiveFiles:
    """Return the archive that comes in on standard input. Raises BundleFormatError (BUNDLE_NOT_FOUND) without one."""
    # a program that was started without one has None there, and the number may be another file's
    if sys.stdin is None:
        raise not_found(_WHERE, tr("is closed"))
    return ArchiveFiles(_WHERE, (), pipe=ArchivePipe(sys.stdin.fileno(), _WHERE))
