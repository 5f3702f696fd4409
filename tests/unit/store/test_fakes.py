"""The in-memory store promises what the one on disk does: both pass the same checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import IntegrityError
from bundler.model.digest import Blob, Digest
from bundler.store.blobs import Store
from bundler.store.interface import IndexRecord
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.store.interface import BlobStore

DATA = b"some content"
BLOB = Blob.of(DATA)


@pytest.fixture(params=[Store, MemoryStore])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    made: BlobStore = request.param(tmp_path)
    return made


def test_put_and_read(store: BlobStore) -> None:
    assert not store.has(BLOB)
    assert store.put(DATA) == BLOB
    assert store.has(BLOB)
    assert store.read(BLOB) == DATA
    assert store.path(BLOB).read_bytes() == DATA
    store.drop(BLOB)
    assert not store.has(BLOB)


def test_resuming(store: BlobStore) -> None:
    with store.incoming("name") as incoming:
        incoming.restart('"1"')
        incoming.write(DATA[:5])
    with store.incoming("name") as incoming:
        assert (incoming.offset, incoming.validator) == (5, '"1"')
        incoming.write(DATA[5:])
        with incoming.open() as file:
            assert file.read() == DATA
        assert incoming.digest("sha512").algorithm == "sha512"
        assert incoming.commit(BLOB.digest, size=BLOB.size) == BLOB
    with store.incoming("name") as incoming:
        assert (incoming.offset, incoming.validator) == (0, "")


def test_wrong_bytes(store: BlobStore) -> None:
    wrong = Digest("sha256", "0" * 64)
    with store.incoming("name") as incoming:
        incoming.write(DATA)
        with pytest.raises(IntegrityError):
            incoming.commit(wrong)
    with pytest.raises(IntegrityError):
        store.admit([DATA], wrong)
    assert not store.has(BLOB)
    assert store.admit([DATA], BLOB.digest) == BLOB


def test_index(store: BlobStore) -> None:
    assert store.index.get("sha512:12") is None
    store.index.put("sha512:12", IndexRecord(BLOB))
    store.index.put("index https://a.example", IndexRecord(BLOB, {"etag": '"1"'}))
    assert store.index.get("sha512:12") == IndexRecord(BLOB, {})
    store.index.put("sha512:12", IndexRecord(BLOB, {"etag": '"2"'}))
    assert store.index.get("sha512:12") == IndexRecord(BLOB, {"etag": '"2"'})
    store.index.remove("sha512:12")
    store.index.remove("sha512:12")
    assert store.index.get("sha512:12") is None
    assert store.index.get("index https://a.example") == IndexRecord(BLOB, {"etag": '"1"'})
