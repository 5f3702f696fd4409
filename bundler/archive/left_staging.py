"""Staging directories that killed runs of `unpack` have left in a target directory, of whatever bundle.

Whoever unpacks holds the lock of the target directory, so whoever holds it knows that nobody uses another one's staging
directory. Others may use the target too: only what looks in every respect like a staging directory is removed.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory
from bundler.archive.staging import TREE
from bundler.directory_walk import inode_of, names_in, remove_all, remove_at
from bundler.model.digest import ID_CHARACTERS
from bundler.model.removed import Removed

if TYPE_CHECKING:
    from collections.abc import Mapping

_STAGING = re.compile(rf"\..+-[0-9a-f]{{{ID_CHARACTERS}}}\.partial")
_FETCHED = re.compile(rf"\..+-[0-9a-f]{{{ID_CHARACTERS}}}\.fetched")


def staging_name(bundle: str, bundle_id: str) -> str:
    """Return the name of the directory in which a bundle is staged."""
    return f".{bundle}-{bundle_id[:ID_CHARACTERS]}.partial"


def fetched_name(bundle: str, bundle_id: str) -> str:
    """Return the name of the directory in which files of a bundle wait that come one by one, over several runs."""
    return f".{bundle}-{bundle_id[:ID_CHARACTERS]}.fetched"


def remove_fetched(root: int, *, keep: str = "") -> Removed:
    """Remove what was fetched for bundles that are complete by now, or not wanted any more. Raises OSError.

    Arguments:
        root: descriptor of the target directory, which the caller has locked.
        keep: the name of the directory that is still needed.
    """
    removed = Removed()
    for name in sorted(filter(_FETCHED.fullmatch, names_in(root))):
        status = os.stat(name, dir_fd=root, follow_symlinks=False)
        if name != keep and stat.S_ISDIR(status.st_mode) and status.st_uid in (os.geteuid(), os.fstat(root).st_uid):
            removed += remove_all(root, name)
    return removed


def fetched_bytes(root: int, name: str) -> int:
    """Return how many bytes wait below a directory of `fetched_name`, those of half a file included. Raises OSError."""
    try:
        directory = open_directory(root, name)
    except OSError:
        # absent, or something else
        return 0
    try:
        with os.scandir(directory) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        below = (fetched_bytes(directory, known) for known, status in found if stat.S_ISDIR(status.st_mode))
        return sum(below) + sum(status.st_size for _, status in found if stat.S_ISREG(status.st_mode))
    finally:
        os.close(directory)


def remove_left_staging(root: int) -> Removed:
    """Remove all staging directories below a directory; return how many files they held. Raises OSError.

    Arguments:
        root: descriptor of the target directory, which the caller has locked.
    """
    removed = Removed()
    for name in sorted(filter(_STAGING.fullmatch, names_in(root))):
        try:
            directory = open_directory(root, name)
        except OSError:
            # a file or a link of that name, or it is gone
            continue
        try:
            known = os.fstat(directory)
            sizes = _staged_sizes(directory)
            # the target's owner: file systems without owners of their own give everything to one user
            if sizes is None or known.st_uid not in (os.geteuid(), os.fstat(root).st_uid):
                continue
            for file in sizes:
                os.unlink(file, dir_fd=directory)
            if TREE in names_in(directory):
                removed += remove_all(directory, TREE)
        finally:
            os.close(directory)
        remove_at(root, name, inode_of(known), directory=True)
        removed += Removed(max(1, len(sizes)), sum(sizes.values()))
    return removed


def _staged_sizes(directory: int) -> Mapping[str, int] | None:
    """Return the bytes of each file in a staging directory; None when it is something else."""
    with os.scandir(directory) as entries:
        found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    if TREE in found and not stat.S_ISDIR(found.pop(TREE).st_mode):
        return None
    if not all(name.isdecimal() and stat.S_ISREG(file.st_mode) for name, file in found.items()):
        return None
    return {name: file.st_size for name, file in found.items()}
