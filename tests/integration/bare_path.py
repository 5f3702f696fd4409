"""A PATH of a host that has few programs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def path_with(directory: Path, programs: Iterable[str]) -> str:
    """Return a PATH with nothing but these programs, in a new directory."""
    directory.mkdir()
    for name in programs:
        found = shutil.which(name)
        assert found is not None, name
        (directory / name).symlink_to(found)
    return str(directory)
