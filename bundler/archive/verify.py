"""Check an archive, or an unpacked tree, against its own bundle.json. Constant memory; finds all differences."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.archive.archive_reader import open_archive
from bundler.archive.hashing import HashThread
from bundler.archive.open_beneath import open_root
from bundler.archive.ownership import archive_ownership, tree_ownership
from bundler.archive.tree import check_files, is_tree, tree_index, unlisted_paths
from bundler.archive.verify_report import VerifyReport
from bundler.durable import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.ownership import Ownership
    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Task


def verify_bundle(path: Path, task: Task, *, strict: bool = False) -> VerifyReport:
    """Check a bundle: a directory as `verify_tree` does, anything else as `verify_archive` does."""
    return verify_tree(path, task, strict=strict) if is_tree(path) else verify_archive(path, task)


def verify_archive(path: Path, task: Task) -> VerifyReport:
    """Read an archive (or its parts) to its end and compare every file with bundle.json.

    Arguments:
        path: the archive's name, or that of any of its parts.
        task: advanced by the bytes of content; not finished here.

    Raises what `open_archive` raises, as soon as the bytes cannot be read as an archive any further.
    """
    with open_archive(path) as archive, HashThread() as digest:
        intact: list[IndexedFile] = []
        changed: list[str] = []
        unlisted: list[str] = []
        found: set[str] = set()
        for file in archive.files():
            found.add(file.path)
            if file.listed is None:
                unlisted.append(file.path)
            elif file.size != file.listed.blob.size:
                changed.append(file.path)
            else:
                digest.begin()
                for chunk in file.chunks:
                    digest.update(chunk)
                    task.advance(len(chunk))
                same = digest.hex() == file.listed.blob.digest.hex
                intact.append(file.listed) if same else changed.append(file.path)
        missing = {*archive.checked.listed.keys() - found, *archive.missing_directories}
        ownership = archive_ownership(archive.faults)
        return _report(archive.checked, intact, missing, changed, unlisted, ownership, unlisted_matters=True)


def verify_tree(root: Path, task: Task, *, strict: bool = False) -> VerifyReport:
    """Compare every listed file below a directory with its bundle.json.

    Arguments:
        strict: files that bundle.json does not list are an error, not a note.
        task: advanced by the bytes of content; not finished here.

    No link below the root is followed: a link instead of a listed file is a changed file. Raises BundleFormatError
    (BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_FORMAT_NEWER), StorageError.
    """
    checked = tree_index(root)
    with storage_errors(root):
        directory = open_root(root)
        try:
            states = list(check_files(directory, checked.listed.values(), task))
            unlisted = list(unlisted_paths(directory, checked))
            ownership = tree_ownership(directory, checked)
        finally:
            os.close(directory)
    intact = [file for file, state in states if state == "intact"]
    missing = [file.path for file, state in states if state == "missing"]
    changed = [file.path for file, state in states if state == "changed"]
    return _report(checked, intact, missing, changed, unlisted, ownership, unlisted_matters=strict)


def _report(
    checked: CheckedIndex,
    intact: list[IndexedFile],
    missing: Iterable[str],
    changed: Iterable[str],
    unlisted: Iterable[str],
    ownership: Ownership,
    *,
    unlisted_matters: bool,
) -> VerifyReport:
    return VerifyReport(
        where=checked.where,
        id=checked.id,
        name=checked.index.name,
        release=checked.index.release,
        files=len(intact),
        content_bytes=sum(file.blob.size for file in intact),
        missing=tuple(sorted(missing)),
        changed=tuple(sorted(changed)),
        unlisted=tuple(sorted(unlisted)),
        unlisted_matters=unlisted_matters,
        ownership=ownership,
    )
