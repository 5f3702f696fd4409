"""The blobs of an unpacked bundle's image layout, for whoever sends them. Follows no link below the root."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged
from bundler.archive.open_beneath import open_file, open_root
from bundler.archive.tree import examine_files, tree_index
from bundler.durable import storage_error, storage_errors
from bundler.model.image.bundled import BundleImage, bundle_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from bundler.errors import BundlerError, IntegrityError
    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces

# sending one has to end within the time that a line may be silent: at 2 KiB/s it just does
PIECE_BYTES = 128 * 1024


class Layout:
    """An open tree; made by `open_layout`, safe for many threads.

    Arguments:
        where: its directory, for messages.
        images: what its index lists.
    """

    def __init__(self, where: str, root: int, images: tuple[BundleImage, ...]) -> None:
        self.where = where
        self.images = images
        self._root = root

    def damaged(self, files: Iterable[IndexedFile], task: Task) -> Mapping[str, BundlerError]:
        """Compare files with what the index lists; returns what is wrong, by path."""
        return {
            file.path: storage_error(f"{self.where}/{file.path}", outcome)
            if isinstance(outcome, OSError)
            else self._damaged(file, outcome)
            for file, outcome in examine_files(self._root, files, task)
            if outcome != "intact"
        }

    def read(self, file: IndexedFile) -> bytes:
        """Return a small file's bytes. Raises IntegrityError, StorageError."""
        return b"".join(bytes(piece) for piece in self.pieces(file)(0))

    def pieces(self, file: IndexedFile) -> Pieces:
        """Return what yields a file's bytes from an offset on, in one buffer. Raises IntegrityError, StorageError."""

        def from_offset(offset: int) -> Iterator[memoryview]:
            with storage_errors(self.where), self._opened(file) as descriptor:
                buffer = bytearray(min(PIECE_BYTES, file.blob.size))
                while offset < file.blob.size:
                    count = os.preadv(descriptor, [buffer], offset)
                    if not count:
                        raise self._damaged(file, "changed")
                    yield memoryview(buffer)[: min(count, file.blob.size - offset)]
                    offset += count

        return from_offset

    @contextmanager
    def _opened(self, file: IndexedFile) -> Iterator[int]:
        try:
            descriptor = open_file(self._root, file.path)
        except FileNotFoundError:
            raise self._damaged(file, "missing") from None
        if descriptor is None:
            raise self._damaged(file, "changed")
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _damaged(self, file: IndexedFile, outcome: str) -> IntegrityError:
        got = "no such file" if outcome == "missing" else "other bytes"
        return damaged(self.where, f"{file.path} is not the listed one", want=str(file.blob.digest), got=got)


@contextmanager
def open_layout(root: Path) -> Iterator[Layout]:
    """Open an unpacked bundle. Raises BundleFormatError, StorageError."""
    contents = tree_index(root)
    with storage_errors(root):
        descriptor = open_root(root)
    try:
        yield Layout(str(root), descriptor, tuple(bundle_images(contents.index)))
    finally:
        os.close(descriptor)
