"""Directories for programs that write files by themselves (pip, a compiler): beside the blobs, never in TMPDIR.

Owns their making and their end. Each is locked by its user for as long as it lives, so that what a killed one has left
is told from one in use.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.directory_walk import make_directories, names_in, opened_directory, remove_all
from bundler.durable import storage_errors
from bundler.lock_file import locked
from bundler.model.removed import Removed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_SUFFIX = ".lock"
_MODE = 0o700


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """Make a directory that nobody else enters, and remove it with all that is in it. Raises StorageError."""
    path = parent / f"{os.getpid()}-{secrets.token_hex(8)}"
    with locked(path.with_name(path.name + LOCK_SUFFIX), remove=True):
        with storage_errors(path):
            make_directories(path, mode=_MODE)
        try:
            yield path.absolute()
        finally:
            _remove(parent, path.name)


def remove_left_scratch(parent: Path) -> Removed:
    """Remove the directories that killed processes have left; return how many files they held."""
    removed = Removed()
    with storage_errors(parent):
        names = sorted({path.name.removesuffix(LOCK_SUFFIX) for path in parent.iterdir()}) if parent.exists() else []
    for name in names:
        with locked(parent / (name + LOCK_SUFFIX), wait=False, remove=True) as alone:
            if alone:
                removed += _remove(parent, name)
    return removed


def _remove(parent: Path, name: str) -> Removed:
    with storage_errors(parent / name), opened_directory(parent) as directory:
        if name not in names_in(directory):
            return Removed()
        return remove_all(directory, name)
