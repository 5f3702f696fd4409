"""How much a store holds and how much disk is free: what `bundler store info` and `bundler plan` show."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.model.digest import Blob, Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.store.blobs import Store


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
