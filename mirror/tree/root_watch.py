"""Notices that other bundles lie below the root, or that another one is current. For one process, asked now and then.

Looks at names, identities and the link `current`; reads no file, so that the supervisor may ask (ADR 10). It relies on
no notification of the kernel, which network file systems do not give.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from bundler.archive.bundle_root import CURRENT
from bundler.model.bundle import INDEX_PATH
from bundler.model.subset import SUBSET_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bundler.archive.bundle_root import BundleRoot

# what tells that a bundle is another one, or another part of it
_DOCUMENTS = (INDEX_PATH, SUBSET_PATH)
# a directory that changed a moment ago may change again without another time: clocks of file systems are coarse
_COARSE_NS = 3_000_000_000


class _DocumentIdentity(NamedTuple):
    """Which file it is, and who may read it; neither a further link nor a label makes it another one."""

    device: int
    inode: int
    size: int
    modified_ns: int
    permissions: _Permissions


class _Permissions(NamedTuple):
    """Who may do what with a file or a directory."""

    mode: int
    user: int
    group: int


class _LinkIdentity(NamedTuple):
    """Which link it is: one that leads there again is another one, since it led elsewhere meanwhile."""

    inode: int
    changed_ns: int


class _BundleIdentity(NamedTuple):
    """Which bundle lies in a directory: what was closed to the mirror's user is looked at again once it is not."""

    permissions: _Permissions | None
    documents: tuple[_DocumentIdentity | None, ...]


_Bundles = dict[str, _BundleIdentity]


class RootWatch:
    """Compares a root with what it was.

    Arguments:
        root: what is watched; a staged bundle, and everything else that is none, counts for nothing.
        now_ns: the clock that the file system's times are compared with.
    """

    def __init__(self, root: BundleRoot, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._root = root
        self._now_ns = now_ns
        self._times = (0, 0)
        self._current: tuple[str, _LinkIdentity | None] = ("", None)
        self._bundles: _Bundles = {}
        self.changed()

    def changed(self) -> bool:
        """Tell whether it is another one than at the last call; what cannot be looked at is as it was.

        While nothing changes in the root itself, this takes a few calls of stat for each bundle.
        """
        try:
            status = os.fstat(self._root.descriptor)
            times = (status.st_mtime_ns, status.st_ctime_ns)
            # before anything is listed: what changes meanwhile is noticed the next time
            same = times == self._times and self._now_ns() - status.st_ctime_ns > _COARSE_NS
            found = self._identities(self._bundles if same else self._root.directories())
        except OSError:
            return False
        before = (self._current, self._bundles)
        # the link itself before what it says: whoever reads it later may find the one in between
        link = self._link()
        self._times, self._current, self._bundles = times, (self._root.target(), link), found
        return before != (self._current, self._bundles)

    def _identities(self, directories: Iterable[str]) -> _Bundles:
        return {name: self._bundle(name) for name in directories}

    def _bundle(self, name: str) -> _BundleIdentity:
        above = self._status(name)
        documents = tuple(self._document(f"{name}/{path}") for path in _DOCUMENTS)
        return _BundleIdentity(None if above is None else _permissions(above), documents)

    def _link(self) -> _LinkIdentity | None:
        status = self._status(CURRENT)
        return None if status is None else _LinkIdentity(status.st_ino, status.st_ctime_ns)

    def _document(self, path: str) -> _DocumentIdentity | None:
        status = self._status(path)
        if status is None:
            return None
        return _DocumentIdentity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, _permissions(status))

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path, dir_fd=self._root.descriptor, follow_symlinks=False)
        except OSError:
            return None


def _permissions(status: os.stat_result) -> _Permissions:
    return _Permissions(status.st_mode, status.st_uid, status.st_gid)
