"""Who uses a store: any number of builds together, or one prune alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, StorageError
from bundler.lock_file import locked
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_NAME = "lock"


@contextmanager
def shared_use(root: Path) -> Iterator[None]:
    """Use the store together with other builds; waits for a running prune."""
    with locked(root / LOCK_NAME, shared=True):
        yield


@contextmanager
def sole_use(root: Path) -> Iterator[None]:
    """Use the store alone. Raises StorageError (STORE_BUSY) at once when a build is running."""
    with locked(root / LOCK_NAME, wait=False) as alone:
        if not alone:
            raise StorageError(
                ErrorId.STORE_BUSY,
                tr("a build is using the store"),
                where=str(root),
                remedy=tr("Run it again when the build has ended."),
            )
        yield
