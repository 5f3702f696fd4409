from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, StorageError
from bundler.model.digest import Blob
from bundler.store.blobs import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = b"content of a blob"
BLOB = Blob.of(DATA)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def files_below(store: Store) -> list[str]:
    """Return the files of a store, except its records of verified files (see `test_verified_files.py`)."""
    paths = (path.relative_to(store.root) for path in store.root.rglob("*") if path.is_file())
    return sorted(str(path) for path in paths if path.parts[0] != "witness")


def test_a_blob_lies_under_its_digest(store: Store) -> None:
    assert store.put(DATA) == BLOB
    assert files_below(store) == [f"sha256/{BLOB.digest.hex[:2]}/{BLOB.digest.hex}"]
    assert store.path(BLOB).read_bytes() == DATA
    assert store.read(BLOB) == DATA


def test_it_has_what_is_there_with_the_right_size(store: Store) -> None:
    assert not store.has(BLOB)
    store.put(DATA)
    assert store.has(BLOB)
    assert not store.has(Blob(BLOB.digest, BLOB.size + 1))


def test_a_damaged_blob_is_found_dropped_and_taken_again(store: Store) -> None:
    store.put(DATA)
    store.path(BLOB).write_bytes(b"X" + DATA[1:])
    with pytest.raises(IntegrityError) as raised:
        store.read(BLOB)
    assert raised.value.want == str(BLOB.digest)
    assert not store.has(BLOB)
    store.put(DATA)
    assert store.read(BLOB) == DATA


def test_a_shortened_blob_is_not_there(store: Store) -> None:
    store.put(DATA)
    store.path(BLOB).write_bytes(DATA[:-1])
    assert not store.has(BLOB)


def test_putting_bytes_mends_a_damaged_blob(store: Store) -> None:
    store.put(DATA)
    store.path(BLOB).write_bytes(b"X" + DATA[1:])
    store.put(DATA)
    assert store.read(BLOB) == DATA


def test_reading_what_is_not_there(store: Store) -> None:
    with pytest.raises(StorageError) as raised:
        store.read(BLOB)
    assert raised.value.id == ErrorId.STORAGE_UNUSABLE


def test_dropping_is_not_an_error_twice(store: Store) -> None:
    store.put(DATA)
    store.drop(BLOB)
    store.drop(BLOB)
    assert not store.has(BLOB)


def test_bytes_made_on_the_spot_are_admitted(store: Store) -> None:
    assert store.admit([DATA[:5], b"", DATA[5:]], BLOB.digest) == BLOB
    assert store.read(BLOB) == DATA
    assert files_below(store) == [f"sha256/{BLOB.digest.hex[:2]}/{BLOB.digest.hex}"]


def test_wrong_bytes_made_on_the_spot_leave_nothing(store: Store) -> None:
    with pytest.raises(IntegrityError):
        store.admit([DATA], Blob.of(b"other").digest)
    assert files_below(store) == []


def test_a_source_that_fails_midway_leaves_nothing(store: Store) -> None:
    def broken() -> Iterator[bytes]:
        yield DATA
        raise RuntimeError("archive ends here")

    with pytest.raises(RuntimeError):
        store.admit(broken())
    assert files_below(store) == []


def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert not Store(tmp_path / "absent").has(BLOB)
    assert not (tmp_path / "absent").exists()
