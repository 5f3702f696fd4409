"""A lock between processes that a killed holder cannot keep: record locks end with their process (fcntl(2))."""

from __future__ import annotations

import fcntl
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class ProcessLock:
    """Held by one process at a time; for one thread of each. Made before the workers are forked."""

    def __init__(self) -> None:
        # a file without a name: nothing is left behind, whoever is killed
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open for the mirror's life

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock, and give it back when the block ends."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
