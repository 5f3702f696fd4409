"""Where a stage's files lie: a directory below the cache that is locked while its process lives.

When that process is killed its hosts end with it (`enclosure.py`), and the next stage removes what is left: a directory
that nobody has locked is left over, however young it is.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tests.hosts.cgroups import remove_groups
from tests.hosts.debian_image import cache_directory, locked

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "bundler-hosts-"
LOCK = "lock"
GROUPS = "groups"


@contextmanager
def stage_directory() -> Iterator[Path]:
    """Make a directory, and remove it with the control groups that were recorded in it."""
    stages = cache_directory() / "stages"
    stages.mkdir(exist_ok=True)
    # nobody sees a directory between its making and its locking
    with locked(stages / LOCK):
        remove_leftovers(stages)
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=stages))
        lock = (directory / LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    with lock:
        try:
            yield directory
        finally:
            # its lock goes before its end, and whoever looks for leftovers meanwhile would take it for one
            with locked(stages / LOCK):
                _remove(directory)


def record_groups(directory: Path, groups: list[Path]) -> None:
    """Write down control groups of a stage, and that of the stage above each."""
    with (directory / GROUPS).open("a") as file:
        file.writelines(f"{group}\n" for group in [*groups, *(group.parent for group in groups)])


def remove_leftovers(stages: Path) -> None:
    """Remove what killed processes left; the lock of all stages is held."""
    for directory in stages.glob(f"{PREFIX}*"):
        with (directory / LOCK).open("a") as lock:
            if _is_free(lock):
                _remove(directory)


def _is_free(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(directory: Path) -> None:
    groups = directory / GROUPS
    if groups.exists():
        remove_groups([Path(line) for line in groups.read_text().splitlines()])
    shutil.rmtree(directory)
