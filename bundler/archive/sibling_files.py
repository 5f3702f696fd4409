"""Files that other bundles of the same root hold already: they get a second name instead of a second copy.

Owns the comparison before: only a file whose bytes, mode and owner are those that are wanted is linked, so that what
has rotted in one bundle does not spread to the next. Where the file system has no links the file is simply not found.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory, open_file
from bundler.archive.tree import tree_index
from bundler.directory_walk import inode_of
from bundler.errors import BundlerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from bundler.archive.bundle_root import BundleRoot
    from bundler.archive.staging import Staging
    from bundler.directory_walk import Inode
    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Blob
    from bundler.model.progress import Task


def link_siblings(root: BundleRoot, files: Iterable[IndexedFile], staging: Staging, task: Task) -> Mapping[str, str]:
    """Stage, by links, what the bundles of a root hold of some files; return their paths with the staged names.

    Arguments:
        task: advanced by the bytes of what was linked.

    Raises OSError when the root cannot be read.
    """
    wanted: dict[tuple[Blob, int], list[str]] = {}
    for file in files:
        wanted.setdefault((file.blob, file.mode), []).append(file.path)
    staged: dict[str, str] = {}
    for name in root.directories() if wanted else ():
        try:
            sibling = open_directory(root.descriptor, name)
        except OSError:
            continue
        try:
            for file in _listed(root.path / name):
                paths = wanted.get((file.blob, file.mode), ())
                if paths and (links := _links(sibling, file, staging, len(paths))):
                    del wanted[file.blob, file.mode]
                    staged |= zip(paths, links, strict=True)
                    task.advance(file.blob.size * len(paths))
        finally:
            os.close(sibling)
    return staged


def _listed(tree: Path) -> Iterable[IndexedFile]:
    """Return what a bundle lists; nothing when its index cannot be read, for others read it and say why."""
    try:
        return tree_index(tree).index.files
    except BundlerError:
        return ()


def _links(sibling: int, file: IndexedFile, staging: Staging, count: int) -> list[str]:
    """Return the staged names of so many links to a file; none when it is not what it should be."""
    parent, _, name = file.path.rpartition("/")
    links: list[str] = []
    try:
        with _compared(sibling, file) as known:
            directory = open_directory(sibling, parent)
            try:
                while known and len(links) < count:
                    link, descriptor = staging.link(directory, name)
                    try:
                        same = inode_of(os.fstat(descriptor)) == known
                    finally:
                        os.close(descriptor)
                    if not same:
                        return []
                    links.append(link)
            finally:
                os.close(directory)
    except OSError:
        # no links on this file system, too many of this file, or it is gone: it is unpacked as if it were not there
        return []
    return links


@contextmanager
def _compared(sibling: int, file: IndexedFile) -> Iterator[Inode | None]:
    """Yield the inode of a file whose bytes, mode and owner are the wanted ones, or None; it is open meanwhile."""
    descriptor = open_file(sibling, file.path)
    if descriptor is None:
        yield None
        return
    try:
        status = os.fstat(descriptor)
        fits = (
            status.st_size == file.blob.size
            and stat.S_IMODE(status.st_mode) == file.mode
            and status.st_uid == os.geteuid()
            and _digest(descriptor) == file.blob.digest.hex
        )
        yield inode_of(status) if fits else None
    finally:
        os.close(descriptor)


def _digest(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
