"""`bundler unpack --root`: a bundle beside others, in a directory of its own, which appears complete or not at all."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from bundler.archive.bundle_root import directory_name, opened_root
from bundler.archive.completed_delta import completed, largest_patch
from bundler.archive.extract import extract, require_room
from bundler.archive.left_staging import (
    fetched_bytes,
    fetched_name,
    remove_fetched,
    remove_left_staging,
    staging_name,
)
from bundler.archive.open_beneath import open_directory
from bundler.archive.root_record import remember_verified
from bundler.archive.sibling_files import link_siblings
from bundler.archive.staging import Staging
from bundler.archive.unpack import Completed, Unpacked, complete_below, wanted_files
from bundler.directory_walk import exists_at
from bundler.model.bundle import INDEX_PATH, SUMS_PATH
from bundler.model.progress import Unwatched
from bundler.model.removed import Removed
from bundler.model.subset import ALL, Choice, Subset

# each bundle has its own
OWN_PATHS = frozenset({INDEX_PATH, SUMS_PATH})

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.bundle_root import BundleRoot
    from bundler.model.progress import Task


def unpack_beside(
    reader: BundleReader, root: Path, task: Task, *, activate: bool = False, choice: Choice = ALL
) -> Unpacked:
    """Unpack a bundle into `ROOT/NAME-ID12/`; what other bundles there hold of it is linked, not copied.

    What a delta leaves to its bases is taken from any of those bundles, by its digest.

    A bundle that is there is verified, and completed where files are missing.

    Arguments:
        root: made when it is absent.
        task: told the bytes of content and advanced by them; not finished here.
        activate: let `current` lead to it once it is complete.
        choice: what is wanted of it, beside what is there already.

    Raises as `unpack` does (BASE_MISSING when no bundle there has what a delta lacks); SiteError
    (BUNDLE_CURRENT_TAKEN). After a failure the root is as it was.
    """
    checked = reader.checked
    name = directory_name(checked.index.name, checked.id)
    with opened_root(root, make=True) as opened:
        if activate:
            opened.require_link()
        removed = remove_fetched(opened.descriptor, keep=fetched_name(checked.index.name, checked.id))
        removed += remove_left_staging(opened.descriptor)
        linked_bytes = 0
        if exists_at(opened.descriptor, name):
            outcome = _complete(opened, name, reader, task, choice)
        else:
            outcome = Completed(False, None if choice.is_all else Subset(checked.id, (choice,)), Removed())
            linked_bytes = _unpack_anew(opened, name, reader, task, outcome.subset)
        remove_fetched(opened.descriptor)
        remember_verified(opened, name)
        if activate:
            opened.activate(name)
    where = opened.path / name
    return Unpacked.of(
        checked,
        where,
        removed + outcome.removed,
        present=outcome.present,
        subset=outcome.subset,
        linked_bytes=linked_bytes,
    )


def _complete(root: BundleRoot, name: str, reader: BundleReader, task: Task, choice: Choice) -> Completed:
    descriptor = open_directory(root.descriptor, name)
    try:
        aided = partial(completed, root=root)
        return complete_below(descriptor, root.path / name, root.descriptor, reader, task, choice, aided)
    finally:
        os.close(descriptor)


def _unpack_anew(root: BundleRoot, name: str, reader: BundleReader, task: Task, subset: Subset | None) -> int:
    """Put a bundle, or a subset of it, together and give it its name; return the bytes that it shares with others."""
    checked = reader.checked
    wanted = wanted_files(checked, subset)
    task.expect(checked.carried_bytes if reader.gives_all else sum(file.blob.size for file in wanted))
    staged_in = staging_name(checked.index.name, checked.id)
    with Staging(root.descriptor, staged_in, own_directory=True) as staging:
        # an archive is read whole, also where a file need not be written
        watched = Unwatched() if reader.gives_all else task
        linked = link_siblings(root, (file for file in wanted if file.path not in OWN_PATHS), staging, watched)
        absent = frozenset(file.path for file in wanted if file.path not in linked)
        sizes = [*(checked.listed[path].blob.size for path in absent), largest_patch(reader)]
        there = fetched_bytes(root.descriptor, fetched_name(checked.index.name, checked.id))
        require_room(root.descriptor, root.path, sizes, there_bytes=there)
        extract(staging, completed(reader, absent, staging, root=root), absent, task, record=subset)
        staging.publish(name)
    return sum(checked.listed[path].blob.size for path in linked)
