"""Where an archive is put: the path that `-o` means, and what may not be replaced there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.part_names import archive_name
from bundler.archive.part_set import holds_parts, only_archive
from bundler.directory_walk import make_directories
from bundler.durable import storage_errors
from bundler.errors import ErrorId, StorageError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable


def output_path(output: str, archive_name: str) -> Path:
    """Return the archive's path for `-o FILE-OR-DIR`; StorageError when it cannot be looked at."""
    path = Path(output)
    with storage_errors(path):
        return path / archive_name if output.endswith("/") or path.is_dir() else path


def require_output(output: Path, wanted: str, kept: Iterable[Path]) -> None:
    """Make the output's directory when `-o` ends with a slash; StorageError when no archive may be put at its path.

    Arguments:
        output: the archive's path.
        wanted: what `-o` says.
        kept: files that the archive may not replace; for archives in parts one of these, or their directory.
    """
    with storage_errors(output.parent):
        if wanted.endswith("/"):
            make_directories(output.parent, mode=None)
    require_directory(output.parent)
    with storage_errors(output):
        if any(_replaces(output, path) for path in kept):
            what = tr("the archive would replace what it is made of")
        elif not os.path.lexists(output):
            return
        elif output.is_symlink() or not output.is_file():
            what = tr("is a link, a device or the like, which the archive would replace")
        else:
            return
    raise StorageError(
        ErrorId.STORAGE_UNUSABLE, what, where=str(output), remedy=tr("Give -o another file or directory.")
    )


def _replaces(output: Path, kept: Path) -> bool:
    """Tell whether an archive would be put in the place of a file, or of the archive that it is a part of."""
    if output.exists() and kept.exists() and output.samefile(kept):
        return True
    if kept.is_dir():
        whole = kept / only_archive(kept, (kept,)) if holds_parts(kept) else kept
    else:
        whole = kept.with_name(archive_name(kept.name))
    return whole.name == output.name and whole.parent.samefile(output.parent)


def require_directory(directory: Path) -> None:
    """Raise StorageError unless there is such a directory, and files can be made in it."""
    with storage_errors(directory):
        if not directory.is_dir():
            number = errno.ENOTDIR if directory.exists() else errno.ENOENT
            raise OSError(number, os.strerror(number), str(directory))
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(directory))
