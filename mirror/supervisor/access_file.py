"""Open the access log for the workers, who may not be allowed to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.appended_file import open_appended
from bundler.durable import storage_errors

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

_MODE = 0o640
_STDOUT = 1


def open_access_log(target: Path | Literal["-"] | None) -> int | None:
    """Return a descriptor to append lines to, None when no log is wanted. Raises StorageError."""
    if target is None:
        return None
    if target == "-":
        return os.dup(_STDOUT)
    with storage_errors(target):
        return open_appended(target, _MODE)
