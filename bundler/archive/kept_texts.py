"""A bundle's own long texts, in a file without a name until the archive is written: index and lock.

The file lies in the archive's directory, and its room is free again with the process, however that ends.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.model.digest import Blob, Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bundler.model.placement import KeptText

PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _FileText:
    """A part of the file; see `KeptText`."""

    directory: Path
    descriptor: int
    begin: int
    size: int
    digest: Digest

    @property
    def blob(self) -> Blob:
        return Blob(self.digest, self.size)

    def pieces(self) -> Iterator[bytes]:
        for at in range(0, self.size, PIECE_BYTES):
            with storage_errors(self.directory):
                piece = os.pread(self.descriptor, min(PIECE_BYTES, self.size - at), self.begin + at)
            yield piece


@contextmanager
def kept_texts(directory: Path) -> Iterator[Callable[[Iterable[bytes]], KeptText]]:
    """Open the file, and yield the function that puts one text of several pieces in it; they are gone with the block.

    Raises StorageError, DISK_FULL among them; the function too.
    """
    from tempfile import TemporaryFile  # only what builds needs it

    with ExitStack() as stack:
        with storage_errors(directory):
            file = stack.enter_context(TemporaryFile(dir=directory, prefix=".bundler-", buffering=PIECE_BYTES))

        def keep(pieces: Iterable[bytes]) -> KeptText:
            begin, digest = file.tell(), hashlib.sha256()
            for piece in pieces:
                digest.update(piece)
                with storage_errors(directory):
                    file.write(piece)
            with storage_errors(directory):
                file.flush()
            size = file.tell() - begin
            return _FileText(directory, file.fileno(), begin, size, Digest("sha256", digest.hexdigest()))

        yield keep
