"""A note is whole or absent, tells no secret, and never stands in the way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bundler.model.digest import Blob
from bundler.store.blobs import Store
from bundler.store.index import MAX_NOTE_BYTES, NOTE_FORMAT
from bundler.store.interface import Note
from bundler.store.prune import prune

if TYPE_CHECKING:
    from pathlib import Path

NAME = "index https://a.example/?token=s3cret"
NOTE = Note(Blob.of(b"x"), {"etag": '"1"'})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def file_of(store: Store) -> Path:
    (path,) = store.notes.directory.glob("*/*")
    return path


def test_another_run_finds_it_and_the_name_is_not_told(store: Store) -> None:
    store.remember(NAME, NOTE)
    assert Store(store.root).recall(NAME) == NOTE
    assert "s3cret" not in file_of(store).read_text() + str(file_of(store))
    assert json.loads(file_of(store).read_text())["format"] == NOTE_FORMAT


WHOLE = {"format": NOTE_FORMAT, "sha256": NOTE.blob.digest.hex, "size": 1, "fields": {}}


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
        json.dumps(WHOLE).encode().rjust(MAX_NOTE_BYTES + 200),
    ],
)
def test_one_that_is_damaged_is_none_and_is_written_over(store: Store, content: bytes) -> None:
    store.remember(NAME, NOTE)
    file_of(store).write_bytes(content)
    assert store.recall(NAME) is None
    store.remember(NAME, NOTE)
    assert store.recall(NAME) == NOTE


def test_one_that_cannot_be_written_is_left_out(store: Store) -> None:
    store.root.mkdir()
    store.notes.directory.write_text("in the way")
    store.remember(NAME, NOTE)
    store.forget(NAME)
    assert store.recall(NAME) is None


def test_many_may_write_it_at_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.remember(NAME, Note(NOTE.blob, {"etag": str(number)})), range(100)))
    found = store.recall(NAME)
    assert found is not None
    assert found.blob == NOTE.blob
    assert [path.name for path in file_of(store).parent.iterdir()] == [file_of(store).name]


def test_pruning_forgets_them(store: Store) -> None:
    store.remember(NAME, NOTE)
    prune(store, frozenset())
    assert store.recall(NAME) is None
