"""A file that gets its final name only when it is complete: `.NAME.partial` beside it until then.

Owns the partial name, its lock and the rename, all of them in one opened directory. A killed process leaves only the
partial file, which the next one for this name removes; every other failure removes it at once. A file that was there
before is never written to: it may be a second name of somebody else's. The files of a `PartialSet` belong to whoever
holds the partial file of the set's name, and go with it.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bundler.directory_walk import inode_of, names_in, open_directory_at, opened_directory, remove_at
from bundler.durable import storage_errors
from bundler.model.removed import Removed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

FILE_MODE = 0o644
_PRIVATE_MODE = 0o600
# O_NONBLOCK: opening a fifo must not wait for a writer
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class PartialFile:
    """The file while it is being written; made by `partial_file`."""

    def __init__(self, final: Path, directory: int, descriptor: int) -> None:
        self._final = final
        self._directory = directory
        self._descriptor = descriptor

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes. Raises StorageError, DISK_FULL among them."""
        rest = memoryview(data)
        with storage_errors(self._final):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def write_all(self, pieces: Sequence[bytes | memoryview]) -> int:
        """Append pieces in one go and return how many bytes they are. Raises StorageError, DISK_FULL among them."""
        size = sum(map(len, pieces))
        with storage_errors(self._final):
            written = os.writev(self._descriptor, pieces)
        if written < size:
            # a disk that is nearly full takes part of it; writing the rest, in order, finds out why
            self.write(memoryview(b"".join(pieces))[written:])
        return size

    def belong_to(self, uid: int, gid: int) -> None:
        """Give the file an owner. Raises StorageError."""
        with storage_errors(self._final):
            os.fchown(self._descriptor, uid, gid)

    def set_attribute(self, name: str, value: bytes) -> None:
        """Set an extended attribute: the label of SELinux is one. Raises StorageError."""
        with storage_errors(self._final):
            os.setxattr(self._descriptor, name, value)

    def sync(self) -> None:
        """Flush everything written so far to the disk. Raises StorageError."""
        with storage_errors(self._final):
            os.fsync(self._descriptor)

    def write_at(self, data: bytes | memoryview, offset: int) -> None:
        """Write bytes at a place, whatever is written before or after it. Raises StorageError."""
        rest = memoryview(data)
        with storage_errors(self._final):
            while rest:
                count = os.pwrite(self._descriptor, rest, offset)
                rest, offset = rest[count:], offset + count

    def read_at(self, count: int, offset: int) -> bytes:
        """Return bytes that were written, fewer at the end. Raises StorageError."""
        with storage_errors(self._final):
            return os.pread(self._descriptor, count, offset)

    def prefetch(self, count: int, offset: int) -> None:
        """Tell the kernel that these bytes are read soon."""
        os.posix_fadvise(self._descriptor, offset, count, os.POSIX_FADV_WILLNEED)

    def remove_beside(self, names: Iterable[str]) -> None:
        """Remove other files of the directory; one that is gone already is no error. Raises StorageError."""
        with storage_errors(self._final):
            for name in names:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=self._directory)
            os.fsync(self._directory)

    def names_beside(self) -> list[str]:
        """Return the names of everything in the directory. Raises StorageError."""
        with storage_errors(self._final):
            return names_in(self._directory)

    def remove_final(self) -> None:
        """Remove what has the final name so far. Raises StorageError."""
        with storage_errors(self._final), suppress(FileNotFoundError):
            os.unlink(self._final.name, dir_fd=self._directory)

    def commit(self) -> None:
        """Give the synchronised file its final name, replacing an older one. Raises StorageError."""
        with storage_errors(self._final):
            here = self._directory
            os.rename(partial_name(self._final.name), self._final.name, src_dir_fd=here, dst_dir_fd=here)
            # the rename survives a power cut only with its directory: fsync(2), "NOTES"
            os.fsync(here)


@contextmanager
def partial_file(final: Path, on_wait: Callable[[], None], *, mode: int = FILE_MODE) -> Iterator[PartialFile]:
    """Open the empty partial file of a final name, locked against other processes.

    Arguments:
        on_wait: called when another process is writing the same file, before waiting for it.
        mode: exactly this one, whatever the umask.

    Raises StorageError when the directory cannot be written to.
    """
    with storage_errors(final):
        directory = open_directory_at(final.parent)
    try:
        name = partial_name(final.name)
        with storage_errors(final):
            descriptor = _created(directory, name, on_wait)
        try:
            with storage_errors(final):
                os.fchmod(descriptor, mode)
            yield PartialFile(final, directory, descriptor)
        finally:
            with storage_errors(final):
                remove_at(directory, name, inode_of(os.fstat(descriptor)))
                os.close(descriptor)
    finally:
        os.close(directory)


def write_durably(path: Path, data: bytes, *, mode: int = FILE_MODE) -> None:
    """Replace a file's content in one step: readers see the old bytes or the new ones, also after a power cut.

    Raises StorageError; the old content is then unchanged and no partial file is left.
    """
    with replacing(path, mode=mode) as put:
        put(data)


def write_pieces_durably(path: Path, pieces: Iterable[bytes], *, mode: int = FILE_MODE) -> None:
    """Do the same with bytes that come in pieces; raises what `pieces` raises too."""
    with partial_file(path, _do_nothing, mode=mode) as partial:
        for piece in pieces:
            partial.write(piece)
        partial.sync()
        partial.commit()


@contextmanager
def replacing(path: Path, *, mode: int = FILE_MODE) -> Iterator[Callable[[bytes], None]]:
    """Open a file's replacement, and yield the function that writes and renames it; as `write_durably`, in two steps.

    For bytes that can be requested only once: that the directory can be written to is known before the request.
    Raises StorageError; a replacement that was not written when the block ends is removed.
    """
    with partial_file(path, _do_nothing, mode=mode) as partial:

        def put(data: bytes) -> None:
            partial.write(data)
            partial.sync()
            partial.commit()

        yield put


def remove_partial_files(directory: Path, suffixes: tuple[str, ...]) -> Removed:
    """Remove the partial files that killed processes left, of whatever final name with one of these suffixes.

    Raises StorageError.
    """
    wanted = tuple(partial_name(suffix).removeprefix(".") for suffix in suffixes)
    removed = Removed()
    with storage_errors(directory), opened_directory(directory) as descriptor:
        for name in sorted(names_in(descriptor)):
            if name.startswith(".") and name.endswith(wanted):
                # it is a link, it is gone, or it is another user's, who may be writing it
                with suppress(OSError):
                    removed += _remove_left(descriptor, name, None)
    return removed


def partial_name(name: str) -> str:
    """Return the name under which a file is written."""
    return f".{name}.partial"


def remove_members(directory: int, name: str) -> Removed:
    """Remove the files of a `PartialSet` that a killed process left. Raises OSError.

    Arguments:
        name: the partial name of the set, which the caller has locked.
    """
    final = name.removeprefix(".").removesuffix(".partial")
    member = re.compile(rf"\.{re.escape(final)}\.p?[0-9]+\.partial")
    removed = Removed()
    for left in sorted(filter(member.fullmatch, names_in(directory))):
        size = os.stat(left, dir_fd=directory, follow_symlinks=False).st_size
        os.unlink(left, dir_fd=directory)
        removed += Removed(1, size)
    return removed


def _do_nothing() -> None:
    return


def _created(directory: int, name: str, on_wait: Callable[[], None]) -> int:
    while True:
        with suppress(FileNotFoundError):
            _remove_left(directory, name, on_wait)
        try:
            descriptor = os.open(name, _OPEN | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE, dir_fd=directory)
        except FileExistsError:
            continue
        if _is_locked_as(directory, name, descriptor, on_wait):
            return descriptor
        os.close(descriptor)


def _remove_left(directory: int, name: str, on_wait: Callable[[], None] | None) -> Removed:
    """Remove what a killed process left, unless a living one holds it; FileNotFoundError when there is nothing."""
    descriptor = os.open(name, _OPEN, dir_fd=directory)
    try:
        if not _is_locked_as(directory, name, descriptor, on_wait):
            return Removed()
        removed = remove_members(directory, name)
        os.unlink(name, dir_fd=directory)
        return removed + Removed(1, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _is_locked_as(directory: int, name: str, descriptor: int, on_wait: Callable[[], None] | None) -> bool:
    """Lock a file; tell whether the name is still its own, for the last holder may have renamed or removed it.

    Arguments:
        on_wait: called before waiting for the lock; None for False when another process holds it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if on_wait is None:
            return False
        on_wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(name, dir_fd=directory, follow_symlinks=False), os.fstat(descriptor))
    return False
