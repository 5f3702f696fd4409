"""Files that other bundles of the same root hold already: they get a second name instead of a second copy.

Owns the comparison before: only a file whose bytes, mode and owner are those that are wanted is linked, so that what
has rotted in one bundle does not spread to the next. Where the file system has no links the file is simply not found.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory, open_file
from bundler.archive.tree import readable_files
from bundler.directory_walk import inode_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.archive.bundle_root import BundleRoot
    from bundler.archive.staging import Staging
    from bundler.directory_walk import Inode
    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Blob
    from bundler.model.progress import Task


def link_siblings(root: BundleRoot, files: Iterable[IndexedFile], staging: Staging, task: Task) -> frozenset[str]:
    """Place, by links, what the bundles of a root hold of some files; return their paths.

    Arguments:
        task: advanced by the bytes of what was linked.

    Raises OSError when the root cannot be read.
    """
    wanted: dict[tuple[Blob, int], list[str]] = {}
    for file in files:
        wanted.setdefault((file.blob, file.mode), []).append(file.path)
    linked: set[str] = set()
    for name in root.directories() if wanted else ():
        try:
            sibling = open_directory(root.descriptor, name)
        except OSError:
            continue
        try:
            for file in readable_files(root.path / name):
                paths = wanted.get((file.blob, file.mode), ())
                if paths and _are_linked(sibling, file, staging, paths):
                    del wanted[file.blob, file.mode]
                    linked.update(paths)
                    task.advance(file.blob.size * len(paths))
        finally:
            os.close(sibling)
    return frozenset(linked)


def _are_linked(sibling: int, file: IndexedFile, staging: Staging, paths: Sequence[str]) -> bool:
    """Place a link to a file at each path; none, and False, when it is not what it should be."""
    parent, _, name = file.path.rpartition("/")
    placed: list[str] = []
    try:
        with _compared(sibling, file) as known:
            if known is None:
                return False
            directory = open_directory(sibling, parent)
            try:
                for path in paths:
                    descriptor = staging.place_link(directory, name, path)
                    placed.append(path)
                    try:
                        if inode_of(os.fstat(descriptor)) != known:
                            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), path)
                    finally:
                        os.close(descriptor)
            finally:
                os.close(directory)
    except OSError:
        # no links on this file system, too many of this file, or it is gone: it is unpacked as if it were not there
        for path in reversed(placed):
            staging.unplace(path)
        return False
    return True


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
