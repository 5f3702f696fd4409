"""What an operator names to look at: a lock file, an archive or an unpacked tree, all of which hold a lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.opened_bundle import OpenedBundle, open_bundle
from bundler.durable import storage_errors
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.artifacts import DECODERS
from bundler.model.lock import Lock, decode_lock
from bundler.pipeline.building import read_lock

if TYPE_CHECKING:
    from pathlib import Path

LOCK_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Contents:
    """A lock, and the bundle that it was found in (None for a lock file)."""

    lock: Lock
    bundle: OpenedBundle | None


def read_contents(path: Path) -> Contents:
    """Read a lock (a file whose name ends in .json), an archive, one of its parts, or an unpacked tree.

    Raises BundleFormatError (BUNDLE_NOT_FOUND for a lock that is absent), and as `decode_lock` and `open_bundle` do.
    """
    with storage_errors(path):
        is_lock = path.suffix == LOCK_SUFFIX and not path.is_dir()
    if not is_lock:
        bundle = open_bundle(path)
        return Contents(decode_lock(bundle.lock, DECODERS, file=f"{path}: lock.json"), bundle)
    lock = read_lock(path, DECODERS)
    if lock is None:
        raise BundleFormatError(
            ErrorId.BUNDLE_NOT_FOUND, "there is no such lock", where=str(path), remedy="Check the path."
        )
    return Contents(lock, None)
