"""What killed builds have left in a store and no later one resumes. Owns what that is; locks tell, never ages.

A download under way stays: the next build resumes it, and `store prune` removes it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from bundler.directory_walk import open_file_at, unlink_at
from bundler.durable import storage_errors
from bundler.lock_file import locked
from bundler.model.removed import Removed
from bundler.store.partial import LOCK_SUFFIX, SCRATCH_PREFIX
from bundler.store.record_file import UNFINISHED_BYTES
from bundler.store.scratch import remove_left_scratch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bundler.store.blobs import Store

_UNFINISHED_CHARACTERS = 2 * UNFINISHED_BYTES


def remove_unfinished(store: Store) -> Removed:
    """Remove what no process holds of files that were made here, and of records. Raises StorageError."""
    removed = remove_left_scratch(store.scratch_root)
    files: dict[str, list[Path]] = {}
    with storage_errors(store.root):
        for path in _entries(store.partial_directory):
            files.setdefault(path.name.partition(".")[0], []).append(path)
        for name, parts in sorted(files.items()):
            if name.startswith(SCRATCH_PREFIX) or not _size(store.partial_directory / name):
                removed += _remove_partial(store.partial_directory / name, parts)
        for directory in (store.verified.directory, store.index.directory):
            for path in _entries(directory):
                if len(path.name) == _UNFINISHED_CHARACTERS:
                    removed += _remove_unlocked(path)
    return removed


def _remove_partial(path: Path, parts: Iterable[Path]) -> Removed:
    """Remove a partial file with all that belongs to it, unless it is in use."""
    with locked(path.with_name(path.name + LOCK_SUFFIX), wait=False, remove=True) as alone:
        if not alone:
            return Removed()
        removed = Removed(1, _size(path))
        # the bytes go last: a validator never outlives them
        for part in sorted(parts, key=lambda part: part.name, reverse=True):
            if not part.name.endswith(LOCK_SUFFIX):
                unlink_at(part)
        return removed


def _remove_unlocked(path: Path) -> Removed:
    try:
        descriptor = open_file_at(path, os.O_RDWR | os.O_NONBLOCK)
    except FileNotFoundError:
        return Removed()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlink_at(path)
        return Removed(1, os.fstat(descriptor).st_size)
    except BlockingIOError:
        return Removed()
    finally:
        os.close(descriptor)


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except FileNotFoundError:
        return []


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0
