"""Open the access log for the workers, who may not be allowed to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.durable import storage_errors

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

# O_NONBLOCK: a fifo that nobody reads is an error, not something to wait for
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_MODE = 0o640
_STDOUT = 1


def open_access_log(target: Path | Literal["-"] | None) -> int | None:
    """Return a descriptor to append lines to, None when no log is wanted. Raises StorageError."""
    if target is None:
        return None
    if target == "-":
        return os.dup(_STDOUT)
    with storage_errors(target):
        return os.open(target, _FLAGS, _MODE)
