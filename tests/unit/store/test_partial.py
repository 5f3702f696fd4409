from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, StorageError
from bundler.model.digest import Blob, Digest
from bundler.store.blobs import Store
from bundler.store.partial import file_name

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"some content" * 1000
SHA512 = Digest("sha512", hashlib.sha512(DATA).hexdigest())
NAME = "https://dl.example/a?token=s3cret"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def left_over(store: Store) -> list[str]:
    return sorted(path.name for path in store.partial_directory.iterdir())


def test_a_new_one_is_empty(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        assert (incoming.offset, incoming.validator) == (0, "")
    assert left_over(store) == []


def test_bytes_and_validator_survive_until_the_next_run(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        incoming.write(DATA[:5000])
    with store.incoming(NAME) as incoming:
        assert (incoming.offset, incoming.validator) == (5000, '"1"')
        incoming.write(memoryview(DATA)[5000:])
        assert incoming.commit(Blob.of(DATA).digest, SHA512, size=len(DATA)) == Blob.of(DATA)
    assert store.path(Blob.of(DATA)).read_bytes() == DATA
    assert left_over(store) == []


def test_bytes_of_an_earlier_run_are_checked_too(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        incoming.write(b"damage" + DATA[6:5000])
    with store.incoming(NAME) as incoming:
        incoming.write(DATA[5000:])
        with pytest.raises(IntegrityError):
            incoming.commit(Blob.of(DATA).digest)
    assert not store.has(Blob.of(DATA))


def test_digests_can_be_asked_for_before_the_end(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.write(DATA)
        assert incoming.digest("sha256") == Blob.of(DATA).digest
        assert incoming.digest("sha512") == SHA512
        with incoming.open() as file:
            assert file.read() == DATA
        incoming.write(DATA)
        assert incoming.digest("sha256") == Blob.of(DATA + DATA).digest


@pytest.mark.parametrize(
    ("expected", "size"),
    [((Blob.of(b"other").digest,), None), ((Blob.of(DATA).digest, Digest("sha512", "0" * 128)), None), ((), 5)],
    ids=["sha256", "sha512", "size"],
)
def test_what_is_not_expected_is_dropped(store: Store, expected: tuple[Digest, ...], size: int | None) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        incoming.write(DATA)
        with pytest.raises(IntegrityError) as raised:
            incoming.commit(*expected, size=size)
        assert raised.value.id == ErrorId.DIGEST_MISMATCH
        assert incoming.offset == 0
    assert left_over(store) == []
    assert not store.has(Blob.of(DATA))


def test_without_expectations_it_is_admitted_as_what_it_is(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.write(DATA)
        blob = incoming.commit()
    assert store.read(blob) == DATA


def test_nothing_is_a_content_as_well(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        assert store.has(incoming.commit(size=0))


def test_restarting_forgets_bytes_digest_and_validator(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        incoming.write(b"x" * 9999)
        incoming.restart("")
        assert (incoming.offset, incoming.validator) == (0, "")
        incoming.write(DATA)
    with store.incoming(NAME) as incoming:
        assert incoming.validator == ""
        assert incoming.commit() == Blob.of(DATA)


def test_discarding_leaves_nothing(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        incoming.write(DATA)
        incoming.discard()
    assert left_over(store) == []


def test_a_validator_whose_bytes_are_gone_is_not_believed(store: Store) -> None:
    # killed between the blob's rename and the removal of its validator
    name = file_name(NAME)
    store.partial_directory.mkdir(parents=True)
    (store.partial_directory / f"{name}.validator").write_text('"1"')
    (store.partial_directory / f"{name}.lock").touch()
    with store.incoming(NAME) as incoming:
        assert (incoming.offset, incoming.validator) == (0, "")
        incoming.write(DATA)
    with store.incoming(NAME) as incoming:
        assert (incoming.offset, incoming.validator) == (len(DATA), "")


def test_a_half_written_validator_is_not_believed(store: Store) -> None:
    name = file_name(NAME)
    store.partial_directory.mkdir(parents=True)
    (store.partial_directory / name).write_bytes(DATA)
    (store.partial_directory / f"{name}.validator.new").write_text('"1')
    with store.incoming(NAME) as incoming:
        assert (incoming.offset, incoming.validator) == (len(DATA), "")


def test_no_name_leads_out_of_the_directory_or_shows_a_secret() -> None:
    names = [NAME, "../../etc/passwd", "a/b", ".", "", "x" * 5000, "a\0b", "\udcff", "sha256:" + "a" * 64]
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    for file in files:
        assert "/" not in file
        assert "." not in file
        assert "s3cret" not in file
    assert file_name("sha256:" + "a" * 64) == "sha256-" + "a" * 64


def test_a_second_one_waits_for_the_first(store: Store) -> None:
    opened = threading.Event()
    seen: list[int] = []

    def second() -> None:
        opened.set()
        with store.incoming(NAME) as incoming:
            seen.append(incoming.offset)

    thread = threading.Thread(target=second)
    with store.incoming(NAME) as incoming:
        thread.start()
        assert opened.wait(10)
        incoming.restart('"1"')
        incoming.write(DATA)
        assert seen == []
    thread.join(10)
    assert seen == [len(DATA)]


def test_many_at_once_end_with_every_blob(store: Store) -> None:
    contents = [bytes([number]) * 3000 for number in range(8)] * 3

    def fetch(data: bytes) -> None:
        blob = Blob.of(data)
        with store.incoming(str(blob.digest)) as incoming:
            if not store.has(blob):
                incoming.restart("")
                incoming.write(data)
                incoming.commit(blob.digest)

    threads = [threading.Thread(target=fetch, args=[data]) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(store.read(Blob.of(data)) == data for data in contents)
    assert left_over(store) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StorageError) as raised, Store(tmp_path / "file").incoming(NAME):
        pass
    assert raised.value.id == ErrorId.STORAGE_UNUSABLE
    assert raised.value.remedy


def test_a_partial_file_that_somebody_cuts_short_is_an_error(store: Store) -> None:
    with store.incoming(NAME) as incoming:
        incoming.restart('"1"')
        incoming.write(DATA)
    with store.incoming(NAME) as incoming:
        os.truncate(store.partial_directory / file_name(NAME), 10)
        with pytest.raises(StorageError, match="cut short"):
            incoming.digest("sha256")
