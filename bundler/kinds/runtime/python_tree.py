"""A runtime's Python laid out on this disk, so that it can be run. The files are the store's; the program is a copy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.kinds.runtime.python_archive import INTERPRETER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.model.runtime_artifact import RuntimeFile
    from bundler.store.interface import BlobStore


def lay_out(files: Sequence[RuntimeFile], store: BlobStore, directory: Path) -> Path:
    """Lay files of the store out below a directory of our own, and return the interpreter. Raises StorageError.

    It finds its standard library beside itself, whatever its path: so it is no link.
    """
    with storage_errors(directory):
        for file in files:
            path = directory / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            if file.path == INTERPRETER:
                shutil.copyfile(store.path(file.content), path)
                path.chmod(0o700)
            else:
                path.symlink_to(store.path(file.content).absolute())
    return directory / INTERPRETER
