"""`bundler remove`: a bundle of a root is taken away whole, or nothing of it is.

Owns what is in the way: the active bundle, files that are not the bundle's, and processes that run from it. The
directory loses its name in one rename; what a kill leaves of the rest, the next run removes.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.bundle_root import ITSELF
from bundler.archive.left_staging import remove_left_staging, staging_name
from bundler.archive.open_beneath import open_directory
from bundler.archive.root_record import forget_removed
from bundler.archive.staging import PRIVATE_MODE, TREE
from bundler.archive.tree import tree_index, unlisted_paths
from bundler.directory_walk import inode_of, make_directory, remove_all, remove_at
from bundler.errors import BundlerError, ErrorId, SiteError
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.archive.bundle_root import BundleRoot
    from bundler.model.removed import Removed

_SHOWN = 5


def remove_bundle(root: BundleRoot, name: str, *, deactivate: bool = False) -> Removed:
    """Remove a bundle of a locked root; return its files, and the bytes that this has freed.

    Arguments:
        deactivate: remove the active one too, and the link that makes it active.

    Raises SiteError (BUNDLE_ACTIVE, BUNDLE_IN_USE, BUNDLE_HOLDS_OTHERS), OSError.
    """
    remove_left_staging(root.descriptor)
    if name == ITSELF:
        raise _refused(
            root,
            name,
            ErrorId.BUNDLE_ACTIVE,
            tr("is the root itself"),
            tr("Run `sh install.sh --uninstall --purge` in it."),
        )
    if name == root.current() and not deactivate:
        remedy = tr("Activate another one first, or add --deactivate to do without.")
        raise _refused(root, name, ErrorId.BUNDLE_ACTIVE, tr("is the active bundle"), remedy)
    staging = _require_nothing_else(root, name)
    if users := _users(root, name):
        what = tr("is in use by {users}", users=", ".join(users[:_SHOWN]))
        raise _refused(root, name, ErrorId.BUNDLE_IN_USE, what, tr("End these programs, and run the command again."))
    if name == root.current():
        root.activate(ITSELF)
    directory = make_directory(root.descriptor, staging, PRIVATE_MODE)
    known = inode_of(os.fstat(directory))
    try:
        os.rename(name, TREE, src_dir_fd=root.descriptor, dst_dir_fd=directory)
        os.fsync(root.descriptor)
        removed = remove_all(directory, TREE)
    finally:
        os.close(directory)
        with suppress(OSError):
            remove_at(root.descriptor, staging, known, directory=True)
    forget_removed(root)
    return removed


def _require_nothing_else(root: BundleRoot, name: str) -> str:
    """Return under which name it is removed; SiteError when it holds what is not the bundle's."""
    try:
        checked = tree_index(root.path / name)
    except BundlerError:
        # nothing tells what is whose: a damaged bundle is the reason for removing it
        return staging_name(name, "0" * 64)
    bundle = open_directory(root.descriptor, name)
    try:
        # whoever completes it holds its lock, and has left nothing when that is free
        fcntl.flock(bundle, fcntl.LOCK_EX)
        remove_left_staging(bundle)
        others = sorted(unlisted_paths(bundle, checked))
    finally:
        os.close(bundle)
    if others:
        shown = ", ".join(others[:_SHOWN]) + (tr(" and more") if len(others) > _SHOWN else "")
        raise _refused(
            root,
            name,
            ErrorId.BUNDLE_HOLDS_OTHERS,
            tr("holds what is not the bundle's: {shown}", shown=shown),
            tr("Move that away, and run the command again."),
        )
    return staging_name(checked.index.name, checked.id)


def _users(root: BundleRoot, name: str) -> list[str]:
    """Return the processes that run from a bundle, or have something of it in memory; none without /proc."""
    below = f"{root.path.resolve() / name}/"
    pids: list[int] = []
    with suppress(OSError):
        pids = sorted(int(process.name) for process in Path("/proc").iterdir() if process.name.isdecimal())
    return [tr("process {pid}", pid=pid) for pid in pids if pid != os.getpid() and _uses(pid, below)]


def _uses(pid: int, below: str) -> bool:
    process = Path("/proc", str(pid))
    # it may end at any moment, and other users' are closed to whoever is not root
    with suppress(OSError):
        if any(f"{(process / link).readlink()}/".startswith(below) for link in ("exe", "cwd")):
            return True
    with suppress(OSError), (process / "maps").open("rb") as maps:
        return any(below.encode() in line for line in maps)
    return False


def _refused(root: BundleRoot, name: str, error_id: ErrorId, what: str, remedy: str) -> SiteError:
    return SiteError(error_id, what, where=str(root.path / name), remedy=remedy, step="remove")
