"""Files of a tree are looked at a few ahead of whoever asks, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_root
from bundler.archive.tree import MAX_BEGUN, examine_files
from bundler.model.bundle import IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.progress import Unwatched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 5 * MAX_BEGUN


def test_only_a_few_files_are_begun_before_the_first_is_told(tmp_path: Path) -> None:
    taken = 0

    def files() -> Iterator[IndexedFile]:
        nonlocal taken
        for number in range(COUNT):
            taken += 1
            (tmp_path / str(number)).write_bytes(b"%d" % number)
            yield IndexedFile(BundlePath(str(number)), Blob.of(b"%d" % number), 0o644, "files")

    root = open_root(tmp_path)
    found = examine_files(root, files(), Unwatched())
    first, state = next(found)
    assert (first.path, state) == ("0", "intact")
    assert taken == MAX_BEGUN + 1
    assert [file.path for file, _ in found] == [str(number) for number in range(1, COUNT)]
