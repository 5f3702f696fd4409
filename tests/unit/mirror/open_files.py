"""A file of the disk, open as it is sent, without a bundle around it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.model.digest import Digest
from mirror.tree.identity import identity_of
from mirror.tree.open_file import OpenFile
from mirror.tree.served import File, FilePlace

if TYPE_CHECKING:
    from pathlib import Path


def open_file_at(path: Path, *, shared: bool = False) -> OpenFile:
    """Open what lies at a path, as a listed file or as a shared one, for which nobody vouches."""
    descriptor = os.open(path, os.O_RDONLY)
    status = os.fstat(descriptor)
    digest = None if shared else Digest.sha256(b"its content")
    identity = identity_of(status)
    place = FilePlace(-1, path.name)
    file = File(place, status.st_size, '"tag"', 0, "text/plain", identity, "0123456789ab", path.name, digest)
    return OpenFile(descriptor, file)
