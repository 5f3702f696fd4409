"""How much a store holds and how much disk is free: what `bundler store info` and `bundler plan` show."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.model.digest import Blob, Digest
from bundler.model.part_size import FAT32_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bundler.store.blobs import Store

# names of file systems: those that keep a size in 32 bits, and those of which another system may be the real one
FAT = ("vfat", "msdos")
MOUNTS = Path("/proc/self/mountinfo")
MAY_HIDE_FAT = ("fuse", "cifs", "smb3", "9p", "virtiofs")


@dataclass(frozen=True, slots=True, order=True)
class PartialSize:
    """A partial file: its name in `partial/` and the bytes that have arrived."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class StoreUsage:
    """A store at one moment; `count` and `bytes` are those of the admitted blobs."""

    path: Path
    count: int
    bytes: int
    partial: tuple[PartialSize, ...]


def store_usage(store: Store) -> StoreUsage:
    """Count what a store holds; one that does not exist yet is empty. Raises StorageError."""
    sizes = [size for _, size in stored_files(store)]
    partial = tuple(
        sorted(
            PartialSize(entry.name, status.st_size)
            for entry, status in _files(store.partial_directory)
            if "." not in entry.name
        )
    )
    return StoreUsage(store.root, len(sizes), sum(sizes), partial)


def stored_files(store: Store) -> Iterator[tuple[Path, int]]:
    """Yield path and size in bytes of every admitted blob, sorted; other files are left alone."""
    for directory in _directories(store.blob_directory):
        for entry, status in _files(directory):
            if stored_blob(entry, status.st_size) is not None:
                yield entry, status.st_size


def stored_blob(path: Path, size: int) -> Blob | None:
    """Return the blob that a file of the store is named after, or None when its name is not a digest."""
    try:
        blob = Blob(Digest("sha256", path.name), size)
    except ValueError:
        return None
    return blob if path.parent.name == path.name[:2] else None


def free_bytes(path: Path) -> int:
    """Return what an unprivileged user may still write below `path`, which need not exist yet. Raises StorageError."""
    with storage_errors(path):
        room = os.statvfs(nearest_existing(path))
    return room.f_bavail * room.f_frsize


def max_file_bytes(path: Path) -> int | None:
    """Return the size of the largest file that a directory's file system takes, None where no limit is known.

    FAT is known by its name; what may have FAT behind it (FUSE, a share) is tried with a file that is gone at once.
    The directory need not exist yet. Raises StorageError.
    """
    directory = nearest_existing(path)
    with storage_errors(path):
        device = directory.stat().st_dev
    kind = ""
    with suppress(OSError), MOUNTS.open(encoding="utf-8", errors="replace") as lines:
        kind = mounted_kind(lines, device)
    if kind in FAT:
        return FAT32_BYTES
    return FAT32_BYTES if kind.startswith(MAY_HIDE_FAT) and not _takes_more(directory, FAT32_BYTES) else None


def mounted_kind(lines: Iterable[str], device: int) -> str:
    """Return the name of the file system that is mounted from a device, or "".

    Arguments:
        lines: of a mount table: proc_pid_mountinfo(5).
    """
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        fields, _, kind = line.partition(" - ")
        if fields.split()[2:3] == [wanted]:
            return kind.split()[0]
    return ""


def _takes_more(directory: Path, size: int) -> bool:
    """Tell whether a file of more than so many bytes may be there; True where none can be written at all."""
    from tempfile import TemporaryFile  # only plans need it

    try:
        with TemporaryFile(dir=directory, prefix=".bundler-") as file:
            file.truncate(size + 1)
    except OSError as error:
        return error.errno != errno.EFBIG
    return True


def nearest_existing(path: Path) -> Path:
    """Return the path itself, or its nearest parent that exists. Raises OSError."""
    existing = path.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return existing


def _directories(path: Path) -> list[Path]:
    with storage_errors(path):
        return sorted(entry for entry in path.iterdir() if entry.is_dir()) if path.exists() else []


def _files(directory: Path) -> list[tuple[Path, os.stat_result]]:
    found: list[tuple[Path, os.stat_result]] = []
    with storage_errors(directory):
        if not directory.exists():
            return found
        for entry in sorted(directory.iterdir()):
            try:
                status = entry.lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append((entry, status))
    return found
