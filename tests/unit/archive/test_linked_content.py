"""Of what waits to be linked only the file that was hashed gets a name in the bundle, and another mode."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from bundler.archive.bundle_reader import ArchivedFile, OwnFile
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_tree
from bundler.model.progress import Unwatched
from bundler.source.open_source import open_source
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.ownership import OwnershipFault

SECRET = b"root's own"


class Waiting:
    """Content of a bundle that lies in files of its own, one of which another user replaces once it was opened."""

    gives_all = False
    missing_directories: Sequence[str] = ()
    faults: Sequence[tuple[str, OwnershipFault]] = ()
    signatures: Mapping[str, bytes] = MappingProxyType({})

    def __init__(self, reader: BundleReader, directory: Path, replace_it: Callable[[Path], None]) -> None:
        self.checked: CheckedIndex = reader.checked
        self.directory_dates: Mapping[str, int] = {}
        self._reader = reader
        self._directory = directory
        self._replace = replace_it

    def expected(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        return wanted

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        for number, file in enumerate(self._reader.files(wanted)):
            path = self._directory / str(number)
            path.write_bytes(data := b"".join(file.chunks))
            own = OwnFile.of(path, path.stat())
            if "keadm" in file.path:
                self._replace(path)
            yield replace(file, chunks=iter((data,)), at=own)


@contextmanager
def waiting(tmp_path: Path, replace_it: Callable[[Path], None]) -> Iterator[Waiting]:
    sample(tmp_path).write(tmp_path / "demo.tar.gz")
    (tmp_path / "waiting").mkdir()
    with open_source(str(tmp_path / "demo.tar.gz")) as reader:
        yield Waiting(reader, tmp_path / "waiting", replace_it)


def test_a_file_of_root_that_takes_its_place_is_neither_linked_nor_opened_to_all(tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    secret.write_bytes(SECRET)
    secret.chmod(0o600)

    def replace_it(path: Path) -> None:
        path.unlink()
        os.link(secret, path)

    with waiting(tmp_path, replace_it) as reader:
        tree = unpack_beside(reader, tmp_path / "root", Unwatched()).directory
    assert (secret.stat().st_mode & 0o7777, secret.read_bytes()) == (0o600, SECRET)
    assert verify_tree(tree, Unwatched(), strict=True).intact
    linked = [path for path in tree.rglob("*") if path.is_file() and path.stat().st_nlink > 1]
    assert linked
    assert all("keadm" not in path.name for path in linked)
