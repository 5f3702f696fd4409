"""`bundler unpack -C`: a bundle into a directory, verified while it is extracted, complete or absent.

The target may be absent, empty, or hold other files (/opt). Nothing under a final name is touched before every byte is
verified, and bundle.json gets its name last: a directory without it is not a bundle.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.completed_delta import largest_patch, left_to_bases
from bundler.archive.delta_marks import bases_of
from bundler.archive.extract import extract, require_room
from bundler.archive.faults import base_missing
from bundler.archive.kept_subset import keep_subset, read_subset
from bundler.archive.left_staging import (
    fetched_bytes,
    fetched_name,
    remove_fetched,
    remove_left_staging,
    staging_name,
)
from bundler.archive.ownership import NO_DIFFERENCE, tree_ownership
from bundler.archive.staging import Staging
from bundler.archive.tree import check_files
from bundler.directory_walk import exists_at, make_directories, open_directory_at, remove_directories
from bundler.durable import storage_errors
from bundler.errors import ErrorId, StorageError
from bundler.model.bundle import INDEX_PATH
from bundler.model.progress import Unwatched
from bundler.model.subset import ALL, Choice, Subset
from bundler.partial_file import write_durably
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.ownership import Ownership
    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Task
    from bundler.model.removed import Removed


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A bundle that is complete in a directory.

    Arguments:
        present: it already was, and nothing was written.
        removed: what killed runs had left there.
        linked_bytes: content that it shares with other bundles of the same root.
        left_out: files of the bundle that are not wanted there.
    """

    directory: Path
    id: str
    name: str
    release: str
    files: int
    content_bytes: int
    present: bool
    removed: Removed
    linked_bytes: int = 0
    left_out: int = 0

    @classmethod
    def of(
        cls,
        checked: CheckedIndex,
        directory: Path,
        removed: Removed,
        *,
        present: bool,
        subset: Subset | None,
        linked_bytes: int = 0,
    ) -> Unpacked:
        """Return the outcome for a bundle, all of it or a subset."""
        wanted = wanted_files(checked, subset)
        return cls(
            directory=directory,
            id=checked.id,
            name=checked.index.name,
            release=checked.index.release,
            files=len(wanted),
            content_bytes=sum(file.blob.size for file in wanted),
            present=present,
            removed=removed,
            linked_bytes=linked_bytes,
            left_out=len(checked.listed) - len(wanted),
        )


def wanted_files(checked: CheckedIndex, subset: Subset | None) -> list[IndexedFile]:
    """Return the listed files that belong into a tree, which holds a subset or, for None, all of them."""
    return [file for file in checked.listed.values() if subset is None or subset.wants(file)]


def unpack(reader: BundleReader, directory: Path, task: Task, *, choice: Choice = ALL) -> Unpacked:
    """Unpack a bundle, or a part of it, into a directory, which is created when it is absent.

    Existing files with the right content are kept, so that running again completes an interrupted run, or a damaged
    tree whose bad files were removed.

    Arguments:
        task: told the bytes of content and advanced by them; not finished here.
        choice: what is wanted, beside what is there already of the same bundle.

    Raises what the reader raises; IntegrityError (BUNDLE_DAMAGED, ARCHIVE_UNSAFE, BASE_MISSING for a delta that lacks
    anything else than it carries); StorageError (UNPACK_CONFLICT with every path in the way, DISK_FULL before anything
    is written). After a failure the directory is unchanged.
    """
    with storage_errors(directory):
        made = make_directories(directory)
        root = open_directory_at(directory)
        complete = False
        try:
            completed = complete_below(root, directory, root, reader, task, choice, _unaided)
            remove_fetched(root)
            complete = True
        finally:
            os.close(root)
            if not complete:
                remove_directories(made)
    return Unpacked.of(reader.checked, directory, completed.removed, present=completed.present, subset=completed.subset)


def _unaided(reader: BundleReader, absent: AbstractSet[str], _staging: Staging) -> BundleReader:
    """Return the reader, which has to give all absent files by itself."""
    if left := left_to_bases(reader, absent):
        checked = reader.checked
        raise base_missing(checked.where, bases_of(checked.index, left), [file.path for file in left], None)
    return reader


@dataclass(frozen=True, slots=True)
class Completed:
    """What completing a directory has come to: whether nothing was absent, what it holds from now on, what was left."""

    present: bool
    subset: Subset | None
    removed: Removed


def complete_below(
    root: int,
    directory: Path,
    waiting: int,
    reader: BundleReader,
    task: Task,
    choice: Choice,
    aided: Callable[[BundleReader, AbstractSet[str], Staging], BundleReader],
) -> Completed:
    """Lock a directory and add what is absent below it, as `unpack` does. Raises OSError too.

    Arguments:
        root, directory: its descriptor and its path.
        waiting: descriptor of the directory in which fetched files wait.
        aided: returns a reader that gives all of some absent files, as `completed` does.
    """
    fcntl.flock(root, fcntl.LOCK_EX)
    checked = reader.checked
    fetched = fetched_name(checked.index.name, checked.id)
    removed = remove_fetched(root, keep=fetched) + remove_left_staging(root)
    before = read_subset(root, checked)
    subset = _subset(root, checked, before, choice)
    anew = not exists_at(root, INDEX_PATH)
    wanted = wanted_files(checked, subset)
    wanted_bytes = sum(file.blob.size for file in wanted)
    task.expect(checked.carried_bytes if reader.gives_all else wanted_bytes)
    absent = _absent(root, directory, wanted, tree_ownership(root, checked))
    if absent:
        sizes = [*(checked.listed[path].blob.size for path in absent), largest_patch(reader)]
        require_room(root, directory, sizes, there_bytes=fetched_bytes(waiting, fetched))
        if not reader.gives_all:
            task.advance(sum(file.blob.size for file in wanted if file.path not in absent))
        with Staging(root, staging_name(checked.index.name, checked.id)) as staging:
            extract(
                staging,
                aided(reader, absent, staging),
                absent,
                task,
                unlisted=lambda file: bool(_absent(root, directory, (file,), NO_DIFFERENCE)),
                record=subset if anew else None,
            )
    else:
        task.advance(wanted_bytes)
        _add_signatures(root, directory, reader)
    if subset != before and not (anew and subset):
        keep_subset(root, directory, subset)
    return Completed(not absent, subset, removed)


def _add_signatures(root: int, directory: Path, reader: BundleReader) -> None:
    """Bring what somebody has signed since to a tree that lacks nothing else."""
    for path, data in reader.signatures.items():
        if not exists_at(root, path):
            write_durably(directory / path, data)


def _subset(root: int, checked: CheckedIndex, before: Subset | None, choice: Choice) -> Subset | None:
    """Return what a tree is to hold, by what it holds and what is wanted as well."""
    if choice.is_all or (before is None and exists_at(root, INDEX_PATH)):
        return None
    return (before or Subset(checked.id, ())).with_choice(choice)


def _absent(root: int, directory: Path, files: Iterable[IndexedFile], ownership: Ownership) -> frozenset[str]:
    """Return the paths that have to be unpacked; StorageError when other files are in the way."""
    states = [(file.path, state) for file, state in check_files(root, files, Unwatched())]
    in_the_way = {path for path, state in states if state == "changed"} | {*ownership.mode, *ownership.owner}
    if in_the_way:
        other = tr(" (another bundle is unpacked here)") if INDEX_PATH in in_the_way else ""
        raise StorageError(
            ErrorId.UNPACK_CONFLICT,
            tr(
                "other files are in the way{other}: {in_the_way}", other=other, in_the_way=", ".join(sorted(in_the_way))
            ),
            where=str(directory),
            remedy=tr("Choose another directory, or move these files away, and run the command again."),
        )
    return frozenset(path for path, state in states if state == "missing")
