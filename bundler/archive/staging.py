"""A directory `.NAME-ID12.partial` inside the target, where files wait until all of them are verified.

Owns the renames to the final names: never over an existing file, never through a link, and rolled back on failure.
Files lie in it flat and numbered, so no path of an archive is used before it is checked. A bundle that gets a directory
of its own is put together in `tree` inside it, and gets its name in one rename.
"""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from bundler.archive.open_beneath import open_directory
from bundler.directory_walk import exists_at, inode_of, make_directory, names_in, remove_all, remove_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.directory_walk import Inode

PRIVATE_MODE = 0o700
TREE = "tree"
_libc = ctypes.CDLL(None, use_errno=True)


class Staging:
    """The staging directory, created empty on entering and removed on leaving; used as a context. Raises OSError.

    Arguments:
        root: descriptor of the target directory, which the caller has locked and freed of leftovers.
        name: the staging directory's name in it.
        own_directory: whether what is placed gets a directory of its own by `publish`, instead of lying below `root`.
    """

    def __init__(self, root: int, name: str, *, own_directory: bool = False) -> None:
        self._parent = root
        self._root = root
        self._name = name
        self._own_directory = own_directory
        self._directory = -1
        self._inodes: list[Inode] = []
        self._placed: list[tuple[str, Inode]] = []
        self._made: list[tuple[str, Inode]] = []

    def __enter__(self) -> Self:
        self._directory = make_directory(self._parent, self._name, PRIVATE_MODE)
        if self._own_directory:
            self._root = make_directory(self._directory, TREE)
        return self

    def __exit__(self, *_: object) -> None:
        known = inode_of(os.fstat(self._directory))
        try:
            if self._own_directory:
                os.close(self._root)
            for name in names_in(self._directory):
                if name == TREE:
                    remove_all(self._directory, name)
                else:
                    os.unlink(name, dir_fd=self._directory)
        finally:
            os.close(self._directory)
        remove_at(self._parent, self._name, known, directory=True)

    @property
    def target(self) -> int:
        """Descriptor of the directory that files are placed below."""
        return self._root

    def create(self, mode: int) -> tuple[str, int]:
        """Create an empty file with exactly this mode; return its staged name and a descriptor to write to."""
        name = str(len(self._inodes))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self._directory)
        self._inodes.append(inode_of(os.fstat(descriptor)))
        os.fchmod(descriptor, mode)
        return name, descriptor

    def scratch(self) -> int:
        """Return the descriptor of an empty file without a name, to be written and read; closing it removes it."""
        name = str(len(self._inodes))
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self._directory)
        os.unlink(name, dir_fd=self._directory)
        return descriptor

    def link(self, parent: int, name: str) -> tuple[str, int]:
        """Give a file of another directory a second name here; return its staged name and a descriptor to look at it.

        What has the name may not be what the caller has seen: whoever looks at the descriptor knows.
        """
        staged = str(len(self._inodes))
        descriptor = _linked(parent, name, self._directory, staged)
        self._inodes.append(inode_of(os.fstat(descriptor)))
        return staged, descriptor

    def place_link(self, parent: int, name: str, path: str) -> int:
        """Give a file of another directory a further name at a path below the root; return a descriptor to look at.

        At once, and not by way of a staged name: a rename later would change the file's change time once more, while a
        mirror sends it. Meant for a bundle that gets a directory of its own. As of `link`, the caller looks at what it
        is, and takes it away by `unplace` where it is something else.
        """
        above, _, last = path.rpartition("/")
        self._make_directories(above)
        directory = open_directory(self._root, above)
        try:
            descriptor = _linked(parent, name, directory, last)
        finally:
            os.close(directory)
        self._placed.append((path, inode_of(os.fstat(descriptor))))
        return descriptor

    def unplace(self, path: str) -> None:
        """Take away what was placed last, at this path."""
        placed, known = self._placed.pop()
        assert placed == path  # noqa: S101 - the caller has just placed it
        self._unmake(path, known, directory=False)

    def publish(self, name: str) -> None:
        """Give what was placed its final name below the target; FileExistsError when there is anything of that name."""
        if exists_at(self._parent, name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        os.rename(TREE, name, src_dir_fd=self._directory, dst_dir_fd=self._parent)
        os.fsync(self._parent)

    def place(self, name: str, path: str) -> None:
        """Move a staged file to its path below the root, creating parent directories (0755)."""
        parent, _, last = path.rpartition("/")
        self._make_directories(parent)
        directory = open_directory(self._root, parent)
        try:
            os.rename(name, last, src_dir_fd=self._directory, dst_dir_fd=directory)
        finally:
            os.close(directory)
        self._placed.append((path, self._inodes[int(name)]))

    def sync(self) -> None:
        """Flush this file system to the disk: syncfs(2), which Python does not have."""
        if _libc.syncfs(self._root):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def date_directories(self, dates: Mapping[str, int]) -> None:
        """Give the directories created here the dates of the archive; others keep theirs."""
        for path, known in self._made:
            if (mtime := dates.get(path)) is not None:
                directory = open_directory(self._root, path)
                try:
                    if inode_of(os.fstat(directory)) == known:
                        os.utime(directory, (mtime, mtime))
                finally:
                    os.close(directory)

    def roll_back(self) -> None:
        """Remove the placed files, and the directories created for them, but nothing that has their names by now."""
        for path, known in reversed(self._placed):
            self._unmake(path, known, directory=False)
        for path, known in reversed(self._made):
            self._unmake(path, known, directory=True)
        self._placed.clear()
        self._made.clear()

    def _make_directories(self, path: str) -> None:
        here = ""
        for segment in path.split("/") if path else ():
            parent, here = here, f"{here}/{segment}" if here else segment
            directory = open_directory(self._root, parent)
            try:
                made = make_directory(directory, segment)
            except FileExistsError:
                continue
            finally:
                os.close(directory)
            self._made.append((here, inode_of(os.fstat(made))))
            os.close(made)

    def _unmake(self, path: str, known: Inode, *, directory: bool) -> None:
        parent, _, last = path.rpartition("/")
        # a directory that is gone by now, or somebody else's link, has nothing of ours below it
        with suppress(FileNotFoundError, NotADirectoryError):
            above = open_directory(self._root, parent)
            try:
                remove_at(above, last, known, directory=directory)
            finally:
                os.close(above)


def _linked(parent: int, name: str, directory: int, link: str) -> int:
    """Give a file a second name in another directory, and return a descriptor to look at it."""
    os.link(name, link, src_dir_fd=parent, dst_dir_fd=directory, follow_symlinks=False)
    try:
        return os.open(link, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        os.unlink(link, dir_fd=directory)
        raise
