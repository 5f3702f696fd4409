"""subset.json in an unpacked tree: read, and written once all that it promises is there."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged
from bundler.archive.open_beneath import open_file, open_root
from bundler.durable import storage_errors
from bundler.model.subset import MAX_SUBSET_BYTES, SUBSET_PATH, Subset, decode_subset, encode_subset
from bundler.partial_file import write_durably
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex

NOT_WANTED = tr("a subset of this bundle")


def read_subset(root: int, checked: CheckedIndex) -> Subset | None:
    """Return what a tree holds of its bundle; None for all of it. Raises IntegrityError, BundleFormatError, OSError.

    Arguments:
        root: descriptor of the tree.
    """
    try:
        descriptor = open_file(root, SUBSET_PATH)
    except FileNotFoundError:
        return None
    data = b""
    if descriptor is not None:
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read(MAX_SUBSET_BYTES)
    where = f"{checked.where}/{SUBSET_PATH}"
    try:
        subset = decode_subset(data, where=where)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(
            where, tr("is no record of a subset"), want=NOT_WANTED, got=str(error) or tr("something else")
        ) from error
    if subset.bundle != checked.id:
        raise damaged(where, tr("is the record of another bundle's subset"), want=checked.id, got=subset.bundle)
    return subset


def tree_subset(root: Path, checked: CheckedIndex) -> Subset | None:
    """Return the same of a tree by its path. Raises IntegrityError, BundleFormatError, StorageError."""
    with storage_errors(root):
        descriptor = open_root(root)
        try:
            return read_subset(descriptor, checked)
        finally:
            os.close(descriptor)


def keep_subset(root: int, directory: Path, subset: Subset | None) -> None:
    """Write down what a tree holds; for None, which is all of it, remove the record. Raises StorageError, OSError.

    Arguments:
        root, directory: descriptor and path of the tree.
    """
    if subset is not None:
        write_durably(directory / SUBSET_PATH, encode_subset(subset))
        return
    with suppress(FileNotFoundError):
        os.unlink(SUBSET_PATH, dir_fd=root)
        os.fsync(root)
