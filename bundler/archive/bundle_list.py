"""What `bundler bundles` tells of each bundle of a root: what it is, and what removing it would free."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory
from bundler.archive.ownership import listed_statuses
from bundler.archive.root_record import read_verified
from bundler.archive.tree import tree_index
from bundler.directory_walk import inode_of
from bundler.errors import BundlerError
from bundler.model.bundle import INDEX_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.archive.bundle_root import BundleRoot
    from bundler.archive.checked_index import CheckedIndex
    from bundler.directory_walk import Inode


@dataclass(frozen=True, slots=True)
class ListedBundle:
    """One bundle of a root.

    Arguments:
        directory: its name in the root; `.` for the root itself.
        id, name, release: "" where its index cannot be read.
        fault: why not, or "".
        active: whether it is the one that `current` means.
        since_s: when it came here, in seconds since the epoch.
        verified_s: when it was last verified, as far as that is written down.
        alone_bytes, shared_bytes: what only it holds, and what other bundles hold too.
    """

    directory: str
    id: str
    name: str
    release: str
    fault: str
    active: bool
    since_s: int
    verified_s: int | None
    alone_bytes: int
    shared_bytes: int


def list_bundles(root: BundleRoot) -> tuple[ListedBundle, ...]:
    """Return all bundles of a root, `.` first, the others by name. Raises OSError."""
    # one index after the other: each may be of thousands of files
    found = {name: _found(root, name) for name in root.directories()}
    holders = Counter(inode for of_one in found.values() for inode in of_one.sizes)
    verified, current = read_verified(root), root.current()
    listed = []
    for name, bundle in found.items():
        since = os.stat(f"{name}/{INDEX_PATH}", dir_fd=root.descriptor, follow_symlinks=False).st_ctime
        alone = sum(size for inode, size in bundle.sizes.items() if holders[inode] == 1)
        listed.append(
            ListedBundle(
                directory=name,
                id=bundle.id,
                name=bundle.name,
                release=bundle.release,
                fault=bundle.fault,
                active=name == current,
                since_s=int(since),
                verified_s=verified.get(name),
                alone_bytes=alone,
                shared_bytes=sum(bundle.sizes.values()) - alone,
            )
        )
    return tuple(listed)


@dataclass(frozen=True, slots=True)
class _DescribedBundle:
    """What is needed of a bundle's index; a fault where it cannot be read."""

    id: str = ""
    name: str = ""
    release: str = ""
    fault: str = ""
    sizes: Mapping[Inode, int] = field(default_factory=dict)


def _found(root: BundleRoot, name: str) -> _DescribedBundle:
    try:
        checked = tree_index(root.path / name)
    except BundlerError as error:
        return _DescribedBundle(fault=error.sentence)
    return _DescribedBundle(checked.id, checked.index.name, checked.index.release, sizes=_sizes(root, name, checked))


def _sizes(root: BundleRoot, name: str, index: CheckedIndex) -> Mapping[Inode, int]:
    """Return the bytes of a bundle's files by what tells one file from another; absent ones have none."""
    bundle = open_directory(root.descriptor, name)
    try:
        found = (status for _, _, status in listed_statuses(bundle, index) if stat.S_ISREG(status.st_mode))
        return {inode_of(status): status.st_size for status in found}
    finally:
        os.close(bundle)
