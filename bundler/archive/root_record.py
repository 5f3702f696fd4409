"""`.bundles.json` in a root: when each of its bundles was last found to be what its index says.

It is a convenience for people: nothing trusts it, whatever is in it, and where it cannot be written nothing fails.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from bundler.archive.bundle_root import CURRENT, ITSELF, opened_root
from bundler.archive.open_beneath import open_file
from bundler.errors import StorageError
from bundler.model.json_value import dump_pretty, load_strict
from bundler.partial_file import write_durably

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bundler.archive.bundle_root import BundleRoot

RECORD_NAME = ".bundles.json"
_FORMAT = 1
_MAX_BYTES = 1024 * 1024


def read_verified(root: BundleRoot) -> Mapping[str, int]:
    """Return, by the bundles' names, when they were verified, in seconds since the epoch."""
    try:
        descriptor = open_file(root.descriptor, RECORD_NAME)
        if descriptor is None:
            return {}
        with os.fdopen(descriptor, "rb") as stream:
            value = load_strict(stream.read(_MAX_BYTES))
        return {str(name): int(seconds) for name, seconds in value["verified"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def remember_verified(root: BundleRoot, name: str) -> None:
    """Write down that a bundle was verified just now, and forget those that are gone; the root is locked."""
    with suppress(OSError, StorageError):
        _write(root, {name: int(time.time())})


def forget_removed(root: BundleRoot) -> None:
    """Forget the bundles that are gone; without any the record goes too. The root is locked."""
    with suppress(OSError, StorageError):
        if root.directories():
            _write(root, {})
        else:
            os.unlink(RECORD_NAME, dir_fd=root.descriptor)


def _write(root: BundleRoot, verified_now: Mapping[str, int]) -> None:
    there = set(root.directories())
    verified = {known: at for known, at in read_verified(root).items() if known in there}
    write_durably(root.path / RECORD_NAME, dump_pretty({"format": _FORMAT, "verified": {**verified, **verified_now}}))


def remember_verified_tree(tree: Path) -> None:
    """Do so for an unpacked tree, when it lies in a root where somebody has unpacked before.

    While somebody changes the root, which may take hours, nothing is written down.
    """
    with suppress(OSError, StorageError):
        place = tree.resolve()
        for root, name in ((place, ITSELF), (place.parent, place.name)):
            if (root / RECORD_NAME).is_file() and name != CURRENT:
                with opened_root(root, change=False) as opened:
                    fcntl.flock(opened.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if opened.holds(name):
                        remember_verified(opened, name)
