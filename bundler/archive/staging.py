"""A directory `.NAME-ID12.partial` inside the target, where files wait until all of them are verified.

Owns the renames to the final names: never over an existing file, never through a link, and rolled back on failure.
Files lie in it flat and numbered, so no path of an archive is used before it is checked.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from typing import TYPE_CHECKING, Self

from bundler.archive.open_beneath import open_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIVATE_MODE = 0o700
DIRECTORY_MODE = 0o755
_libc = ctypes.CDLL(None, use_errno=True)


class Staging:
    """The staging directory, created empty on entering and removed on leaving; used as a context. Raises OSError.

    Arguments:
        root: descriptor of the target directory, which the caller has locked.
        name: the staging directory's name in it; leftovers of an interrupted run are removed first.
    """

    def __init__(self, root: int, name: str) -> None:
        self._root = root
        self._name = name
        self._directory = -1
        self._count = 0
        self._placed: list[str] = []
        self._made: list[str] = []

    def __enter__(self) -> Self:
        self._remove()
        os.mkdir(self._name, PRIVATE_MODE, dir_fd=self._root)
        self._directory = open_directory(self._root, self._name)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._directory)
        self._remove()

    def create(self, mode: int) -> tuple[str, int]:
        """Create an empty file with exactly this mode; return its staged name and a descriptor to write to."""
        name = str(self._count)
        self._count += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self._directory)
        os.fchmod(descriptor, mode)
        return name, descriptor

    def place(self, name: str, path: str) -> None:
        """Move a staged file to its path below the root, creating parent directories (0755)."""
        parent, _, last = path.rpartition("/")
        self._make_directories(parent)
        directory = open_directory(self._root, parent)
        try:
            os.rename(name, last, src_dir_fd=self._directory, dst_dir_fd=directory)
        finally:
            os.close(directory)
        self._placed.append(path)

    def sync(self) -> None:
        """Flush this file system to the disk: syncfs(2), which Python does not have."""
        if _libc.syncfs(self._root):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def date_directories(self, dates: Mapping[str, int]) -> None:
        """Give the directories created here the dates of the archive; others keep theirs."""
        for path in self._made:
            if (mtime := dates.get(path)) is not None:
                directory = open_directory(self._root, path)
                try:
                    os.utime(directory, (mtime, mtime))
                finally:
                    os.close(directory)

    def roll_back(self) -> None:
        """Remove the placed files, and the directories created for them."""
        for path in reversed(self._placed):
            self._unmake(path, directory=False)
        for path in reversed(self._made):
            self._unmake(path, directory=True)
        self._placed.clear()
        self._made.clear()

    def _make_directories(self, path: str) -> None:
        here = ""
        for segment in path.split("/") if path else ():
            parent, here = here, f"{here}/{segment}" if here else segment
            directory = open_directory(self._root, parent)
            try:
                os.mkdir(segment, PRIVATE_MODE, dir_fd=directory)
            except FileExistsError:
                continue
            finally:
                os.close(directory)
            self._made.append(here)
            made = open_directory(self._root, here)
            try:
                os.fchmod(made, DIRECTORY_MODE)
            finally:
                os.close(made)

    def _unmake(self, path: str, *, directory: bool) -> None:
        parent, _, last = path.rpartition("/")
        above = open_directory(self._root, parent)
        try:
            if directory:
                os.rmdir(last, dir_fd=above)
            else:
                os.unlink(last, dir_fd=above)
        finally:
            os.close(above)

    def _remove(self) -> None:
        try:
            shutil.rmtree(self._name, dir_fd=self._root)
        except FileNotFoundError:
            return
