"""Whether a file of the store still holds what its name says."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.digest import Blob


def is_whole(path: Path, blob: Blob) -> bool:
    """Tell whether a file can be read and has these bytes."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == blob.digest.hex
    except OSError:
        return False
