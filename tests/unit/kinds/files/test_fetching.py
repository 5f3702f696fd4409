from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import ErrorId, IntegrityError
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.file_artifact import FileArtifact
from tests.fakes.store import MemoryIncoming, MemoryStore
from tests.fakes.transport import Reply, ScriptedTransport
from tests.unit.kinds.files.file_upstream import (
    KIND,
    TARBALL,
    entry,
    fetch_all,
    locked,
    over,
    sources,
    tgz,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.progress import RecordingTask


def test_what_is_locked_is_in_the_store_already(store: MemoryStore, task: RecordingTask) -> None:
    given, downloader = sources({"https://h/a": tgz({"m": b"member", "n": b"n"})}, store)
    artifacts = KIND.lock(entry("{url: https://h/a, members: {m: m, n: n}}"), given, task)

    fetch_all(artifacts, given, task)

    assert downloader.asked == ["https://h/a"]


def test_one_download_serves_all_its_members(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"m": b"member", "n": b"n"})
    given, downloader = sources({"https://h/a": archive}, store)
    artifacts = KIND.lock(entry("{url: https://h/a, members: {m: m, n: n}}"), given, task)
    store.blobs.clear()

    [fetch] = KIND.fetches(artifacts)
    KIND.fetch(fetch, given, task)

    assert (fetch.transfer_bytes, fetch.scratch_bytes) == (len(archive), len(archive))
    assert set(fetch.provides) == {Blob.of(b"member"), Blob.of(b"n")}
    assert fetch.artifacts == ("m", "n")
    assert all(store.has(blob) for blob in fetch.provides)
    assert len(downloader.asked) == 2
    assert not store.partial


def test_a_download_that_lands_whole_serves_its_members_too(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"m": b"member"})
    given, downloader = sources({"https://h/a": archive}, store)
    whole = KIND.lock(entry("{path: a.tgz, url: https://h/a}"), given, task)
    member = KIND.lock(entry("{path: m, url: https://h/a, member: m}"), given, task)
    store.blobs.clear()
    downloader.asked.clear()

    [fetch] = KIND.fetches((*whole, *member))
    KIND.fetch(fetch, given, task)

    assert fetch.scratch_bytes == 0
    assert set(store.blobs) == {Blob.of(archive).digest, Blob.of(b"member").digest}
    assert downloader.asked == ["https://h/a"]


def test_members_are_taken_out_of_a_download_in_the_store(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"m": b"member"})
    given, downloader = sources({"https://h/a": archive}, store)
    artifacts = KIND.lock(entry("{path: m, url: https://h/a, member: m}"), given, task)
    store.blobs.clear()
    store.put(archive)

    fetch_all(artifacts, given, task)

    assert store.has(Blob.of(b"member"))
    assert downloader.asked == ["https://h/a"]


def test_a_damaged_download_in_the_store_is_dropped_and_fetched(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"m": b"member"})
    given, downloader = sources({"https://h/a": archive}, store)
    artifacts = KIND.lock(entry("{path: m, url: https://h/a, member: m}"), given, task)
    store.blobs = {Blob.of(archive).digest: bytes(len(archive))}

    fetch_all(artifacts, given, task)

    assert set(store.blobs) == {Blob.of(b"member").digest}
    assert len(downloader.asked) == 2


def test_equal_bytes_of_two_downloads_are_fetched_once(store: MemoryStore, task: RecordingTask) -> None:
    given, _ = sources({"https://h/a": tgz({"m": b"same"}), "https://h/b": tgz({"n": b"same"})}, store)
    artifacts = (
        *KIND.lock(entry("{path: m, url: https://h/a, member: m}"), given, task),
        *KIND.lock(entry("{path: n, url: https://h/b, member: n}"), given, task),
    )

    [fetch] = KIND.fetches(artifacts)

    assert fetch.artifacts == ("m", "n")


class _SharedStore(MemoryStore):
    """Another process fetches the same while this one waits for the partial file."""

    @contextmanager
    def incoming(self, name: str) -> Iterator[MemoryIncoming]:
        self.put(TARBALL)
        with super().incoming(name) as incoming:
            yield incoming


def test_what_another_process_brings_meanwhile_is_not_fetched_again(tmp_path: Path, task: RecordingTask) -> None:
    store = _SharedStore(tmp_path)
    given, downloader = sources({"https://h/x": TARBALL}, store)
    artifacts = KIND.lock(entry("{path: x, url: https://h/x}"), given, task)
    store.blobs.clear()

    fetch_all(artifacts, given, task)

    assert downloader.asked == ["https://h/x"]
    assert store.has(Blob.of(TARBALL))


def test_other_bytes_upstream_are_an_error_that_names_the_way_on(store: MemoryStore, task: RecordingTask) -> None:
    artifacts = locked("{path: x, url: https://h/x}", {"https://h/x": TARBALL}, store, task)
    store.blobs.clear()

    for changed in (b"THE TARBALL", b"another length"):
        with pytest.raises(IntegrityError) as caught:
            fetch_all(artifacts, sources({"https://h/x": changed}, store)[0], task)
        assert (caught.value.id, caught.value.where) == (ErrorId.UPSTREAM_CHANGED, "https://h/x")
        assert "bundler lock --update 'x'" in caught.value.remedy

    assert not store.blobs


def test_a_repacked_archive_with_the_same_members_is_a_note(store: MemoryStore, task: RecordingTask) -> None:
    item = "{path: m, url: https://h/a, member: m}"
    artifacts = locked(item, {"https://h/a": tgz({"m": b"member"})}, store, task)
    store.blobs.clear()
    repacked = {"https://h/a": tgz({"new": b"file", "m": b"member"})}

    fetch_all(artifacts, sources(repacked, store)[0], task)

    assert store.has(Blob.of(b"member"))
    assert any("packed anew" in note for note in task.notes)
    assert not store.partial


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (tgz({"m": b"MEMBER"}), "other bytes"),
        (tgz({"n": b"member"}), "no member 'm'"),
        (b"<html>gone</html>", "no archive"),
    ],
    ids=["other bytes", "another member", "a page"],
)
def test_a_repacked_archive_with_other_members_is_an_error(
    store: MemoryStore, task: RecordingTask, changed: bytes, why: str
) -> None:
    item = "{path: m, url: https://h/a, member: m}"
    artifacts = locked(item, {"https://h/a": tgz({"m": b"member"})}, store, task)
    store.blobs.clear()

    with pytest.raises(IntegrityError, match=why) as caught:
        fetch_all(artifacts, sources({"https://h/a": changed}, store)[0], task)

    assert caught.value.id == ErrorId.UPSTREAM_CHANGED
    assert not store.partial


def test_a_changed_url_gives_way_to_one_with_the_pinned_bytes(store: MemoryStore, task: RecordingTask) -> None:
    item = "{path: x, urls: [https://one/x, https://two/x]}"
    artifacts = locked(item, {"https://one/x": TARBALL}, store, task)
    store.blobs.clear()

    fetch_all(artifacts, sources({"https://one/x": b"THE TARBALL", "https://two/x": TARBALL}, store)[0], task)

    assert store.has(Blob.of(TARBALL))
    assert any("https://one/x" in note for note in task.notes)


def test_progress_counts_what_one_url_began_and_another_ended_once(store: MemoryStore, task: RecordingTask) -> None:
    begun = Reply(200, {"ETag": '"1"'}, TARBALL, cut_at=4)
    rest = Reply(206, {"Content-Range": f"bytes 4-{len(TARBALL) - 1}/{len(TARBALL)}", "ETag": '"1"'}, TARBALL[4:])
    item = "{path: x, urls: [https://one/x, https://two/x]}"
    artifacts = locked(item, {"https://one/x": TARBALL}, store, task)
    store.blobs.clear()
    task.advanced = 0

    fetch_all(artifacts, over(ScriptedTransport(begun, rest, Reply(404)), store), task)

    assert task.advanced == len(TARBALL)


@pytest.mark.parametrize(
    ("item", "good", "wrong"),
    [
        ("{path: x, url: https://one/x}", TARBALL, TARBALL[::-1]),
        ("{path: m, url: https://one/x, member: m}", tgz({"m": b"member"}), tgz({"m": b"MEMBER"})),
        ("{path: m, url: https://one/x, member: m}", tgz({"m": b"member"}), b"<html>log in</html>"),
    ],
    ids=["a whole file", "a member", "a page"],
)
def test_a_mirror_with_wrong_bytes_gives_way_to_the_original(
    store: MemoryStore, task: RecordingTask, item: str, good: bytes, wrong: bytes
) -> None:
    artifacts = locked(item, {"https://one/x": good}, store, task)
    store.blobs.clear()
    transport = ScriptedTransport(Reply(body=wrong), Reply(body=good))

    fetch_all(artifacts, over(transport, store, "https://one/=https://m.example/"), task)

    assert store.has(artifacts[0].content)
    assert "(through https://m.example/)" in task.notes[0]
    assert transport.urls == ["https://m.example/x", "https://one/x"]


def test_a_secret_in_a_url_is_not_shown(store: MemoryStore, task: RecordingTask) -> None:
    url = "https://one/x?token=s3cret"
    artifacts = locked(f"{{path: x, url: '{url}'}}", {url: TARBALL}, store, task)
    store.blobs.clear()

    with pytest.raises(IntegrityError) as caught:
        fetch_all(artifacts, sources({url: TARBALL[::-1]}, store)[0], task)

    assert "s3cret" not in caught.value.text()


class _CountedReads(list[FileArtifact]):
    """Counts how often an artifact is taken out of it."""

    reads = 0

    def __iter__(self) -> Iterator[FileArtifact]:
        for artifact in super().__iter__():
            self.reads += 1
            yield artifact

    def __getitem__(self, index: Any) -> Any:
        self.reads += 1
        return super().__getitem__(index)


def test_each_artifact_is_looked_at_a_few_times_however_many_there_are() -> None:
    for count in (100, 400):
        blobs = [Blob.of(b"%d" % number) for number in range(count)]
        artifacts = _CountedReads(
            FileArtifact(BundlePath(f"f/{number}"), blob, ("u",), blob, HeldTo("first-use"))
            for number, blob in enumerate(blobs)
        )
        artifacts.append(replace(list.__getitem__(artifacts, 0), path=BundlePath("again")))
        fetches = KIND.fetches(artifacts)
        assert fetches[0].artifacts == ("f/0", "again")
        assert len(fetches) == count
        assert artifacts.reads <= 3 * len(artifacts)
