"""Where an archive's bytes go while it is written, and how they get final names: the Protocol, and the one file."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from bundler.archive.beside_archive import checksum_path, remove_files, stale_beside
from bundler.archive.part_names import files_of_split
from bundler.archive.part_set import listed_sums
from bundler.partial_file import PartialFile, partial_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bundler.model.digest import Blob, Digest


class ArchiveOutput(Protocol):
    """An archive on its way to a disk."""

    def write_all(self, pieces: Sequence[bytes | memoryview]) -> int:
        """Append pieces, which may change afterwards, and return how many bytes they are. Raises StorageError."""

    def commit(self, blob: Blob) -> tuple[Path, ...]:
        """Give everything its final name, and return those that hold the archive, in order. Raises StorageError.

        Arguments:
            blob: SHA-256 and size of all that was written.
        """


class OpenOutput(Protocol):
    """Opens an output; what has no final name at the block's end is removed."""

    def __call__(self, out: Path, on_wait: Callable[[], None]) -> AbstractContextManager[ArchiveOutput]:
        """Open it.

        Arguments:
            out: the archive's final name; its directory exists.
            on_wait: called when another process writes an archive of this name, before waiting for it.
        """


@contextmanager
def one_file(out: Path, on_wait: Callable[[], None]) -> Iterator[ArchiveOutput]:
    """Open the one file NAME.tar.gz, with NAME.tar.gz.sha256 beside it; see `OpenOutput`."""
    with partial_file(out, on_wait) as archive:
        yield _OneFile(out, archive, on_wait)


class _OneFile:
    def __init__(self, out: Path, archive: PartialFile, on_wait: Callable[[], None]) -> None:
        self._out = out
        self._archive = archive
        self._on_wait = on_wait
        self.write_all = archive.write_all

    def commit(self, blob: Blob) -> tuple[Path, ...]:
        self._archive.sync()
        with partial_file(checksum_path(self._out), self._on_wait) as sums:
            sums.write(sums_line(blob.digest, self._out.name))
            sums.sync()
            # between the two renames the archive has no sums at all, rather than those of another one
            remove_files(stale_beside(self._out, blob.digest))
            sums.remove_final()
            self._archive.commit()
            sums.commit()
        self._archive.remove_beside(left_by_splits(self._out, self._archive.names_beside()))
        return (self._out,)


def left_by_splits(out: Path, names: Sequence[str]) -> frozenset[str]:
    """Return which files of the output's directory are parts, parity and lists of an earlier archive of its name."""
    return files_of_split(out.name, names, listed_sums(out))


def sums_line(digest: Digest, name: str) -> bytes:
    """Return a line as `sha256sum` prints it (coreutils manual, "md5sum invocation": escaped names)."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return os.fsencode(f"{mark}{digest.hex}  {escaped}\n")
