"""What killed builds left in a store goes; what somebody holds, or a later build resumes, stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.model.digest import Blob
from bundler.model.removed import Removed
from bundler.store.blobs import Store
from bundler.store.interface import IndexRecord
from bundler.store.unfinished import remove_unfinished

if TYPE_CHECKING:
    from pathlib import Path

UNFINISHED = "0123456789abcdef" * 2


def test_what_is_made_by_a_killed_build_goes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    blob = store.put(b"kept")
    store.index.put("name", IndexRecord(blob))
    partial = store.partial_directory
    for name in ("made-17-abc", "made-17-abc.lock", "made-18-abc", "url-1.lock", "url-2.validator.new"):
        (partial / name).write_bytes(b"half")
    (store.verified.directory / UNFINISHED).write_bytes(b"record")
    (store.index.directory / UNFINISHED).write_bytes(b"record")
    assert remove_unfinished(store) == Removed(6, 2 * 4 + 2 * 6)
    assert list(partial.iterdir()) == []
    assert store.has(blob)
    assert store.index.get("name") == IndexRecord(blob)
    assert store.verified.crc32(blob, store.path(blob).stat()) is not None
    assert remove_unfinished(store) == Removed()


def test_a_download_that_can_be_resumed_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.incoming("https://a.example/b") as incoming:
        incoming.restart('"1"')
        incoming.write(b"begun")
    assert remove_unfinished(store) == Removed()
    with store.incoming("https://a.example/b") as incoming:
        assert (incoming.offset, incoming.validator) == (5, '"1"')


def test_what_a_living_process_makes_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)

    with store.incoming("made-by-hand") as incoming:
        incoming.write(b"made")
        assert remove_unfinished(store) == Removed()
        assert incoming.commit() == Blob.of(b"made")


def test_a_store_that_is_not_there_yet_has_nothing(tmp_path: Path) -> None:
    assert remove_unfinished(Store(tmp_path / "none")) == Removed()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["ab", "README"])
def test_other_files_beside_the_records_stay(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    store.index.directory.mkdir(parents=True)
    (store.index.directory / name).write_bytes(b"theirs")
    assert remove_unfinished(store) == Removed()
    assert (store.index.directory / name).read_bytes() == b"theirs"
