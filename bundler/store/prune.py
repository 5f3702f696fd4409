"""Removing from a store what no lock needs, never while a build uses it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.directory_walk import opened_directory, unlink_at
from bundler.durable import storage_errors
from bundler.lock_file import locked
from bundler.store.disk_usage import stored_blob, stored_files
from bundler.store.partial import LOCK_SUFFIX
from bundler.store.use import sole_use

if TYPE_CHECKING:
    from bundler.model.digest import Blob
    from bundler.store.blobs import Store


@dataclass(frozen=True, slots=True)
class Pruned:
    """Number and bytes of the removed files, blobs and partial files together."""

    count: int
    bytes: int


def prune(store: Store, keep: frozenset[Blob]) -> Pruned:
    """Remove every blob that is not kept, or has another size than the kept one, and every partial file.

    Raises StorageError: a build is using the store (STORE_BUSY), or it cannot be written.
    """
    with storage_errors(store.root):
        if not store.root.exists():
            return Pruned(0, 0)
    with sole_use(store.root):
        # most records are of metadata, which no lock keeps; a lost one costs a small request
        store.index.clear()
        blobs, partial = _prune_blobs(store, keep), _prune_partial(store)
    return Pruned(blobs.count + partial.count, blobs.bytes + partial.bytes)


def _prune_blobs(store: Store, keep: frozenset[Blob]) -> Pruned:
    count = freed = 0
    for path, size in list(stored_files(store)):
        blob = stored_blob(path, size)
        if blob is None or blob in keep:
            continue
        store.verified.remove(blob)
        with storage_errors(path):
            unlink_at(path)
            with suppress(OSError), opened_directory(path.parent.parent) as above:  # it holds other blobs
                os.rmdir(path.parent.name, dir_fd=above)
        count, freed = count + 1, freed + size
    return Pruned(count, freed)


def _prune_partial(store: Store) -> Pruned:
    """Remove the partial files; one that is locked even so belongs to a program that does not use `in_use`."""
    count = freed = 0
    with storage_errors(store.partial_directory):
        files = list(store.partial_directory.iterdir()) if store.partial_directory.exists() else []
    for name in sorted({file.name.partition(".")[0] for file in files}):
        path = store.partial_directory / name
        with locked(path.with_name(name + LOCK_SUFFIX), wait=False, remove=True) as alone:
            if not alone:
                continue
            with storage_errors(path):
                if path.exists():
                    count, freed = count + 1, freed + path.stat().st_size
                # the bytes go last: a validator never outlives them
                for file in sorted(files, key=lambda file: file.name, reverse=True):
                    if file.name.partition(".")[0] == name and not file.name.endswith(LOCK_SUFFIX):
                        unlink_at(file)
    return Pruned(count, freed)
