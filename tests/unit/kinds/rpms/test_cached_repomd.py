"""What of a repository's metadata is not fetched again: an unchanged index, records under whatever checksum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.rpms.metadata import load_record, load_repo
from bundler.model.digest import Blob
from bundler.store.interface import IndexRecord
from tests.unit.kinds.rpms.rpm_upstream import (
    ASC,
    PRIMARY,
    RECORDS,
    REPOMD,
    SIGNED,
    SPEC,
    A,
    content,
    repository,
    sources,
)

if TYPE_CHECKING:
    from tests.fakes.downloader import MappedDownloader
    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore


def unread(upstream: MappedDownloader) -> list[str]:
    """Return what was asked for and not found unchanged."""
    return [url for url in upstream.asked if url not in upstream.reused]


def test_an_index_that_its_server_calls_unchanged_is_the_kept_one(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS)
    given, upstream = sources(files, store, tags={REPOMD: '"1"'})
    first = load_repo(SPEC, given, task)
    assert (load_repo(SPEC, given, task), upstream.reused) == (first, [REPOMD])
    changed, later = sources(repository(A, RECORDS | {"group": b"<comps>2</comps>"}), store, tags={REPOMD: '"2"'})
    second = load_repo(SPEC, changed, task)
    assert (later.reused, later.asked) == ([], [REPOMD, f"{A}/repodata/group.xml.gz"])
    assert content(second, "group", store) == b"<comps>2</comps>"
    third, last = sources(dict(later.files), store, tags={REPOMD: '"2"'})
    assert (load_repo(SPEC, third, task), unread(last)) == (second, [])


def test_a_server_that_stops_giving_validators_is_asked_for_the_whole(store: MemoryStore, task: RecordingTask) -> None:
    given, upstream = sources(repository(A, RECORDS), store, tags={REPOMD: '"1"'})
    load_repo(SPEC, given, task)
    upstream.tags.clear()
    load_repo(SPEC, given, task)
    assert store.index.records == {}
    upstream.tags[REPOMD] = '"1"'
    load_repo(SPEC, given, task)
    assert upstream.reused == []


def test_a_kept_index_that_was_damaged_or_pruned_is_fetched_whole(store: MemoryStore, task: RecordingTask) -> None:
    given, upstream = sources(repository(A, RECORDS), store, tags={REPOMD: '"1"'})
    first = load_repo(SPEC, given, task)
    store.blobs[first.repomd.digest] = bytes(first.repomd.size)
    assert load_repo(SPEC, given, task) == first
    assert store.read(first.repomd) == upstream.files[REPOMD]
    store.drop(first.repomd)
    assert load_repo(SPEC, given, task) == first
    assert upstream.reused == []


def test_the_signature_is_checked_of_a_kept_index_too(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS) | {ASC: b"signature"}
    given, upstream = sources(files, store, tags={REPOMD: '"1"'})
    seen = []

    def check(data: bytes, signature: bytes, where: str) -> str:
        del where
        seen.append((data, signature))
        return "key 1234"

    load_repo(SIGNED, given, task, check=check)
    assert load_repo(SIGNED, given, task, check=check).signed_by == "key 1234"
    assert upstream.reused == [REPOMD]
    assert seen == [(files[REPOMD], b"signature")] * 2


def test_what_was_kept_unsigned_is_not_trusted_where_a_signature_is_wanted(
    store: MemoryStore, task: RecordingTask
) -> None:
    given, _ = sources(repository(A, RECORDS), store, tags={REPOMD: '"1"'})
    load_repo(SPEC, given, task)
    with pytest.raises(SourceError) as raised:
        load_repo(SIGNED, given, task, check=lambda *_: "never")
    assert raised.value.id == ErrorId.REPO_UNSIGNED


def test_a_refused_index_is_not_kept(store: MemoryStore, task: RecordingTask) -> None:
    def refuse(data: bytes, signature: bytes, where: str) -> str:
        del data, signature
        raise IntegrityError(ErrorId.DIGEST_MISMATCH, "is badly signed", where=where, remedy="-", want="-", got="-")

    given, _ = sources(repository(A, RECORDS) | {ASC: b"bad"}, store, tags={REPOMD: '"1"'})
    with pytest.raises(IntegrityError):
        load_repo(SIGNED, given, task, check=refuse)
    assert (store.index.records, store.blobs) == ({}, {})


def test_a_server_that_calls_changed_metadata_unchanged_is_not_believed_for_ever(
    store: MemoryStore, task: RecordingTask
) -> None:
    load_repo(SPEC, sources(repository(A, RECORDS), store, tags={REPOMD: '"1"'})[0], task)
    files = repository(A, RECORDS | {"primary": b"<metadata packages='1'/>"})
    del store.blobs[Blob.of(repository(A, RECORDS)[f"{A}/repodata/primary.xml.gz"]).digest]
    given, upstream = sources(files, store, tags={REPOMD: '"1"'})
    # the kept index names a primary that is in the store no more, nor upstream
    assert content(load_repo(SPEC, given, task), "primary", store) == b"<metadata packages='1'/>"
    assert upstream.asked.count(REPOMD) == 2


@pytest.mark.parametrize(
    "options", [{"algorithm": "sha512"}, {"sizes": False}, {"algorithm": "sha512", "sizes": False}]
)
def test_records_under_other_checksums_are_found_again(
    store: MemoryStore, task: RecordingTask, options: dict[str, str]
) -> None:
    files = repository(A, RECORDS, **options)  # type: ignore[arg-type] # options of several types
    given, _ = sources(files, store)
    first = load_record(load_repo(SPEC, given, task), "filelists", given, task)
    again, upstream = sources(files, store)
    assert load_record(load_repo(SPEC, again, task), "filelists", again, task) == first
    assert upstream.asked == [REPOMD]


def test_a_record_found_by_another_checksum_is_verified_by_it(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS, algorithm="sha512")
    given, upstream = sources(files, store)
    primary = load_repo(SPEC, given, task).records["primary"]
    store.blobs[primary.digest] = bytes(primary.size)
    upstream.asked.clear()
    metadata = load_repo(SPEC, given, task)
    assert upstream.asked == [REPOMD, f"{A}/repodata/primary.xml.gz"]
    assert content(metadata, "primary", store) == PRIMARY


def test_a_note_that_names_other_bytes_of_the_store_misleads_nobody(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(A, RECORDS, algorithm="sha512", sizes=False)
    given, _ = sources(files, store)
    load_repo(SPEC, given, task)
    other = store.put(b"something else")
    for name in list(store.index.records):
        store.index.put(name, IndexRecord(other))
    assert content(load_repo(SPEC, given, task), "primary", store) == PRIMARY
