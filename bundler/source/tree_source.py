"""An unpacked bundle as a source: single files are read, each as it is on the disk."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.archive.bundle_reader import ArchivedFile, GivesSingleFiles, unlisted_file
from bundler.archive.bundle_signatures import tree_signatures
from bundler.archive.open_beneath import open_file, open_root
from bundler.archive.tree import tree_index
from bundler.durable import storage_errors
from bundler.model.bundle import INDEX_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex

_READ_BYTES = 1024 * 1024


class TreeReader(GivesSingleFiles):
    """See `BundleReader`; made by `open_tree`."""

    def __init__(self, root: int, checked: CheckedIndex) -> None:
        self._root = root
        self.checked = checked
        date = int(os.stat(INDEX_PATH, dir_fd=root, follow_symlinks=False).st_mtime)
        self.directory_dates: Mapping[str, int] = dict.fromkeys(checked.directories, date)
        self.signatures: Mapping[str, bytes] = tree_signatures(root)
        self._date = date

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        """Yield the wanted files that there are, by path, then its signatures. Raises StorageError."""
        for path in sorted(wanted):
            with storage_errors(f"{self.checked.where}/{path}"):
                try:
                    descriptor = open_file(self._root, path)
                except FileNotFoundError:
                    continue
                if descriptor is None:
                    continue
                try:
                    status = os.fstat(descriptor)
                    listed = self.checked.listed[path]
                    chunks = _chunks(descriptor)
                    yield ArchivedFile(path, status.st_size, int(status.st_mtime), listed, chunks)
                finally:
                    os.close(descriptor)
        for path, data in self.signatures.items():
            yield unlisted_file(path, data, self._date)


def _chunks(descriptor: int) -> Iterator[bytes]:
    while data := os.read(descriptor, _READ_BYTES):
        yield data


@contextmanager
def open_tree(path: Path) -> Iterator[TreeReader]:
    """Open an unpacked bundle. Raises BundleFormatError, IntegrityError, StorageError."""
    checked = tree_index(path)
    with storage_errors(path):
        root = open_root(path)
    try:
        with storage_errors(path):
            reader = TreeReader(root, checked)
        yield reader
    finally:
        os.close(root)
