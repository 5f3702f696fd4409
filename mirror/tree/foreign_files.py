"""The files of a bundle that somebody else may change: by their own mode or owner, or by those of a directory above."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory
from bundler.archive.ownership import tree_ownership

if TYPE_CHECKING:
    from bundler.archive.checked_index import CheckedIndex
    from mirror.tree.served_bundle import FaultWord


def foreign_files(root: int, directory: str, checked: CheckedIndex) -> dict[str, FaultWord]:
    """Return the listed paths at fault, each with its word, the owner's before the mode's. Raises OSError.

    Arguments:
        root: descriptor of the mirror's root.
        directory: the bundle's name in it, "" for the root itself.
    """
    base = open_directory(root, directory)
    try:
        ownership = tree_ownership(base, checked)
    finally:
        os.close(base)
    mode, owner = frozenset(ownership.mode), frozenset(ownership.owner)
    found: dict[str, FaultWord] = {}
    for file in checked.listed.values():
        above = [f"{parent}/" for parent in file.path.parents]
        if not owner.isdisjoint((file.path, *above)):
            found[str(file.path)] = "owner"
        elif not mode.isdisjoint((file.path, *above)):
            found[str(file.path)] = "mode"
    return found
