"""Directories to change something in, reached and changed through descriptors, so that nobody else can redirect root.

Below a directory that another user may write to, any segment of a path may become a link between two calls. So a
directory is opened once, one openat per segment, and what happens in it goes through its descriptor. As root, a link on
the way is followed only if root made it. Needs nothing newer than Linux 3.10 (openat2 and renameat2 are). Whoever is
not root can be led nowhere that the other user could not go: there the kernel walks. Raises OSError throughout.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.removed import Removed
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY_MODE = 0o755
# as many as the kernel follows: path_resolution(7)
MAX_LINKS = 40
_ROOT = 0
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Inode(NamedTuple):
    """What tells one file or directory from every other one that exists."""

    device: int
    inode: int


class MadeDirectory(NamedTuple):
    """A directory that did not exist before, so that it, and no other one at its path, can be removed again."""

    path: Path
    inode: Inode


def inode_of(status: os.stat_result) -> Inode:
    """Return the inode in a status."""
    return Inode(status.st_dev, status.st_ino)


@contextmanager
def opened_directory(path: Path) -> Iterator[int]:
    """Open a directory for as long as the context lasts; yields its descriptor."""
    descriptor = open_directory_at(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_directory_at(path: Path) -> int:
    """Return a descriptor of the directory at a path, to be read, locked, and changed through."""
    return os.open(path, _READ) if os.geteuid() != _ROOT else _Walk(path).end()


def make_directories(path: Path, mode: int | None = DIRECTORY_MODE) -> list[MadeDirectory]:
    """Make a directory and those above it; return those made, innermost last.

    Arguments:
        mode: exactly this one; None for what the umask leaves.
    """
    walk = _Walk(path, make=True, mode=mode)
    os.close(walk.end())
    return walk.made


def remove_directories(made: list[MadeDirectory]) -> None:
    """Remove directories again; one that holds something by now, or is another one, stays."""
    for path, known in reversed(made):
        with suppress(OSError), opened_directory(path.parent) as above:
            remove_at(above, path.name, known, directory=True)


def open_file_at(path: Path, flags: int, mode: int = 0o666) -> int:
    """Open a file as open(2) does, but no link: what has the name now may not be what was put there."""
    with opened_directory(path.parent) as directory:
        return os.open(path.name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=directory)


def rename_at(old: Path, new: Path) -> None:
    """Give a file another name, replacing a file that has it."""
    with opened_directory(old.parent) as source, opened_directory(new.parent) as target:
        os.rename(old.name, new.name, src_dir_fd=source, dst_dir_fd=target)


def unlink_at(path: Path) -> None:
    """Remove a file; nothing happens when it is gone."""
    with suppress(FileNotFoundError), opened_directory(path.parent) as directory:
        os.unlink(path.name, dir_fd=directory)


def make_directory(parent: int, name: str, mode: int | None = DIRECTORY_MODE) -> int:
    """Make a directory below another one; return its descriptor.

    Arguments:
        mode: exactly this one; None for what the umask leaves.

    Raises FileExistsError when there is anything of that name.
    """
    if mode is None:
        os.mkdir(name, dir_fd=parent)
        return os.open(name, _READ | os.O_NOFOLLOW, dir_fd=parent)
    # with its mode from the first moment, for what happens to have its name by the next call may be somebody else's
    before = os.umask(0)
    try:
        os.mkdir(name, mode, dir_fd=parent)
    finally:
        os.umask(before)
    descriptor = os.open(name, _READ | os.O_NOFOLLOW, dir_fd=parent)
    try:
        status = os.fstat(descriptor)
        inherited = stat.S_IMODE(status.st_mode) == mode | stat.S_ISGID
        if inherited and status.st_uid == os.geteuid() and not names_in(descriptor):
            os.fchmod(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def names_in(directory: int) -> list[str]:
    """Return the names of everything in an opened directory."""
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def remove_at(parent: int, name: str, known: Inode, *, directory: bool = False) -> None:
    """Remove a file, or an empty directory, unless something else has its name by now."""
    with suppress(FileNotFoundError):
        if inode_of(os.stat(name, dir_fd=parent, follow_symlinks=False)) == known:
            (os.rmdir if directory else os.unlink)(name, dir_fd=parent)


def remove_all(parent: int, name: str) -> Removed:
    """Remove a directory with everything below it, on its own file system, following no link. Raises OSError.

    Returns how many files it held, and their bytes as far as they had no other name.
    """
    removed = Removed()
    directory = os.open(name, _READ | os.O_NOFOLLOW, dir_fd=parent)
    try:
        known = os.fstat(directory)
        for below in names_in(directory):
            status = os.stat(below, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode) and status.st_dev == known.st_dev:
                removed += remove_all(directory, below)
            else:
                os.unlink(below, dir_fd=directory)
                removed += Removed(1, status.st_size if status.st_nlink == 1 else 0)
    finally:
        os.close(directory)
    remove_at(parent, name, inode_of(known), directory=True)
    return removed


def exists_at(parent: int, name: str) -> bool:
    """Tell whether a directory holds anything of that name."""
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


class _Walk:
    """One openat per segment, from the root or the working directory to the end of a path."""

    def __init__(self, path: Path, *, make: bool = False, mode: int | None = None) -> None:
        self.made: list[MadeDirectory] = []
        self._make, self._mode = make, mode
        self._pending = _segments(os.fspath(path))
        self._links = 0
        self._enter("/" if path.is_absolute() else ".")

    def end(self) -> int:
        """Return a descriptor of the directory at the end."""
        try:
            while self._pending:
                self._step(self._pending.pop())
            return os.open(".", _READ, dir_fd=self._here)
        finally:
            os.close(self._here)

    def _enter(self, start: str) -> None:
        self._at = Path(start)
        self._here = os.open(start, _STEP)

    def _step(self, name: str) -> None:
        try:
            below = os.open(name, _STEP, dir_fd=self._here)
        except FileNotFoundError:
            if not self._make:
                raise
            below = self._made_below(name)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            self._follow(_link_target(self._here, name))
            return
        os.close(self._here)
        self._here, self._at = below, self._at / name

    def _made_below(self, name: str) -> int:
        with suppress(FileExistsError):  # another process makes the same one
            descriptor = make_directory(self._here, name, self._mode)
            self.made.append(MadeDirectory(self._at / name, inode_of(os.fstat(descriptor))))
            os.close(descriptor)
        return os.open(name, _STEP, dir_fd=self._here)

    def _follow(self, target: str) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        self._pending += _segments(target)
        if target.startswith("/"):
            os.close(self._here)
            self._enter("/")


def _segments(path: str) -> list[str]:
    """Return the segments of a path, the first one last."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _link_target(parent: int, name: str) -> str:
    """Return where a link leads; OSError when it is something else, or nothing that root should follow."""
    link = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        status = os.fstat(link)
        if not stat.S_ISLNK(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if os.geteuid() == _ROOT != status.st_uid:
            raise OSError(
                errno.ELOOP, tr("{name} is a link that another user made, which root does not follow", name=name)
            )
        return os.readlink("", dir_fd=link)
    finally:
        os.close(link)
