"""A record of the index is whole or absent, tells no secret, and never stands in the way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bundler.model.digest import Blob
from bundler.store.blobs import Store
from bundler.store.index import MAX_RECORD_BYTES, RECORD_FORMAT
from bundler.store.interface import IndexRecord
from bundler.store.prune import prune

if TYPE_CHECKING:
    from pathlib import Path

NAME = "index https://a.example/?token=s3cret"
RECORD = IndexRecord(Blob.of(b"x"), {"etag": '"1"'})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def file_of(store: Store) -> Path:
    (path,) = store.index.directory.glob("*/*")
    return path


def test_another_run_finds_it_and_the_name_is_not_told(store: Store) -> None:
    store.index.put(NAME, RECORD)
    assert Store(store.root).index.get(NAME) == RECORD
    assert "s3cret" not in file_of(store).read_text() + str(file_of(store))
    assert json.loads(file_of(store).read_text())["format"] == RECORD_FORMAT


WHOLE = {"format": RECORD_FORMAT, "sha256": RECORD.blob.digest.hex, "size": 1, "fields": {}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{",
        b"[" * 10_000,
        json.dumps(WHOLE).encode()[:-1],
        json.dumps(WHOLE | {"format": "bundler.note/2"}).encode(),
        json.dumps(WHOLE | {"sha256": "12"}).encode(),
        json.dumps(WHOLE | {"size": "1"}).encode(),
        json.dumps(WHOLE | {"size": True}).encode(),
        json.dumps(WHOLE | {"size": -1}).encode(),
        json.dumps(WHOLE | {"fields": []}).encode(),
        json.dumps(WHOLE | {"fields": {"etag": 1}}).encode(),
        json.dumps({key: WHOLE[key] for key in ("format", "size", "fields")}).encode(),
        json.dumps(WHOLE).encode().rjust(MAX_RECORD_BYTES + 200),
    ],
)
def test_one_that_is_damaged_is_none_and_is_written_over(store: Store, content: bytes) -> None:
    store.index.put(NAME, RECORD)
    file_of(store).write_bytes(content)
    assert store.index.get(NAME) is None
    store.index.put(NAME, RECORD)
    assert store.index.get(NAME) == RECORD


def test_one_that_cannot_be_written_is_left_out(store: Store) -> None:
    store.root.mkdir()
    store.index.directory.write_text("in the way")
    store.index.put(NAME, RECORD)
    store.index.remove(NAME)
    assert store.index.get(NAME) is None


def test_many_may_write_it_at_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda number: store.index.put(NAME, IndexRecord(RECORD.blob, {"etag": str(number)})), range(100))
        )
    found = store.index.get(NAME)
    assert found is not None
    assert found.blob == RECORD.blob
    assert [path.name for path in file_of(store).parent.iterdir()] == [file_of(store).name]


def test_pruning_drops_them(store: Store) -> None:
    store.index.put(NAME, RECORD)
    prune(store, frozenset())
    assert store.index.get(NAME) is None
