from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, ManifestError, SourceError
from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob, Digest
from bundler.model.json_value import dump_pretty
from tests.fakes.downloader import WRITTEN_S
from tests.fakes.transport import FakeTransport, Reply, ScriptedTransport
from tests.unit.kinds.files.file_upstream import (
    AMD64,
    ARM64,
    CHECKSUM_BESIDE,
    KIND,
    MEMBER_S,
    SHA256,
    SHA512,
    TARBALL,
    entry,
    locked,
    over,
    sources,
    tgz,
)

if TYPE_CHECKING:
    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore


def test_a_file_without_a_checksum_is_pinned_on_first_use(store: MemoryStore, task: RecordingTask) -> None:
    given, _ = sources({"https://h/x.tgz": TARBALL}, store, via="https://mirror/")

    [artifact] = KIND.lock(entry("{path: a/x.tgz, url: https://h/x.tgz}"), given, task)

    assert artifact.content == artifact.download == Blob(Digest("sha256", SHA256), len(TARBALL))
    assert artifact.held_to == HeldTo("first-use", via="https://mirror/")
    assert (artifact.key, artifact.mode, artifact.date, artifact.platforms) == ("a/x.tgz", 0o644, WRITTEN_S, ())
    assert artifact.version == f"sha256:{SHA256}"
    assert all(store.has(blob) for blob in artifact.blobs)
    assert not store.partial


@pytest.mark.parametrize("key", ["sha256", "sha512"])
def test_a_digest_of_the_manifest_is_what_the_file_is_held_to(
    store: MemoryStore, task: RecordingTask, key: str
) -> None:
    item = f"{{path: x, url: https://h/x, {key}: '{hashlib.new(key, TARBALL).hexdigest()}'}}"

    [artifact] = locked(item, {"https://h/x": TARBALL}, store, task)

    assert artifact.held_to == HeldTo("manifest")


@pytest.mark.parametrize(
    "published", [f"{SHA512}\n", f"{SHA256}  x.tgz\n{'0' * 64}  y.tgz\n", f"SHA256 (x.tgz) = {SHA256}\n"]
)
def test_a_published_checksum_is_what_the_file_is_held_to(
    store: MemoryStore, task: RecordingTask, published: str
) -> None:
    files = {"https://h/d/x.tgz": TARBALL, "https://h/sums": published.encode()}

    [artifact] = locked("{path: x, url: https://h/d/x.tgz, checksum_url: https://h/sums}", files, store, task)

    assert artifact.held_to == HeldTo("published-checksum", "https://h/sums")


@pytest.mark.parametrize("promise", [f"sha256: '{'0' * 64}'", "checksum_url: https://h/sums"])
def test_a_wrong_checksum_is_an_integrity_error_and_nothing_is_kept(
    store: MemoryStore, task: RecordingTask, promise: str
) -> None:
    files = {"https://h/x": TARBALL, "https://h/sums": b"0" * 64}

    with pytest.raises(IntegrityError) as caught:
        locked(f"{{path: x, url: https://h/x, {promise}}}", files, store, task)

    assert (caught.value.id, caught.value.where) == (ErrorId.CHECKSUM_MISMATCH, "https://h/x")
    assert (caught.value.want, caught.value.got) == (f"sha256:{'0' * 64}", f"sha256:{SHA256}")
    assert not store.blobs
    assert not store.partial
    assert task.advanced == 0


def test_a_checksum_file_that_holds_none_is_quoted(store: MemoryStore, task: RecordingTask) -> None:
    files = {"https://h/x": TARBALL, "https://h/sums": b"<html>Rate limit exceeded"}

    with pytest.raises(SourceError, match="begins with '<html>Rate limit") as caught:
        locked("{path: x, url: https://h/x, checksum_url: https://h/sums}", files, store, task)

    assert (caught.value.id, caught.value.where) == (ErrorId.SOURCE_INVALID, "https://h/sums")


def test_the_checksum_file_travels_beside_the_file_it_vouches_for(store: MemoryStore, task: RecordingTask) -> None:
    published = f"{SHA512}\n".encode()
    artifacts = locked(CHECKSUM_BESIDE, {"https://h/x.tgz": TARBALL, "https://h/x.txt": published}, store, task)

    assert [artifact.path for artifact in artifacts] == ["k/sum.txt", "k/x.tgz"]
    assert store.blobs[artifacts[0].content.digest] == published
    assert artifacts[0].urls == ("https://h/x.txt",)


@pytest.mark.parametrize("published", [f"{SHA512}  x.tgz\n", SHA512.upper(), f"{SHA512}\r\n"])
def test_a_travelling_checksum_file_must_hold_the_hex_alone(
    store: MemoryStore, task: RecordingTask, published: str
) -> None:
    with pytest.raises(SourceError, match="more than the checksum alone") as caught:
        locked(CHECKSUM_BESIDE, {"https://h/x.tgz": TARBALL, "https://h/x.txt": published.encode()}, store, task)

    assert "keadm" in caught.value.remedy
    assert not store.blobs


def test_one_member_is_kept_and_its_archive_is_not(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"k/keadm/keadm": b"binary", "k/version": b"v1"}, mode=0o755)
    digest = hashlib.sha256(archive).hexdigest()
    item = f"{{path: k/keadm, url: https://h/k.tgz, member: k/keadm/keadm, sha256: '{digest}'}}"

    [artifact] = locked(item, {"https://h/k.tgz": archive}, store, task)

    assert artifact.content == Blob.of(b"binary")
    assert artifact.download == Blob.of(archive)
    assert (artifact.member, artifact.mode, artifact.date) == ("k/keadm/keadm", 0o755, MEMBER_S)
    assert list(store.blobs) == [artifact.content.digest]
    assert not store.partial


def test_a_mode_of_the_entry_outranks_the_members_own(store: MemoryStore, task: RecordingTask) -> None:
    item = "{path: x, url: https://h/a, member: x, mode: '0644'}"

    assert locked(item, {"https://h/a": tgz({"x": b""}, mode=0o755)}, store, task)[0].mode == 0o644


def test_members_are_one_artifact_each_in_the_order_of_their_paths(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"s/crds/z.yaml": b"z", "s/crds/a/b.yaml": b"b", "s/tools/certgen.sh": b"#!", "s/x": b"x"})
    item = "{url: https://h/s.tgz, members: {s/crds/: k/crds/, s/tools/certgen.sh: k/certgen.sh}}"

    artifacts = locked(item, {"https://h/s.tgz": archive}, store, task)

    assert [artifact.path for artifact in artifacts] == ["k/certgen.sh", "k/crds/a/b.yaml", "k/crds/z.yaml"]
    assert {artifact.download for artifact in artifacts} == {Blob.of(archive)}


def test_a_missing_member_keeps_the_download_for_the_next_try(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"k/keadm/keadm": b"binary"})

    with pytest.raises(ManifestError, match="did you mean 'k/keadm/keadm'") as caught:
        locked("{path: x, url: https://h/k.tgz, member: keadm}", {"https://h/k.tgz": archive}, store, task)

    assert (caught.value.id, caught.value.where) == (ErrorId.MEMBER_MISSING, "https://h/k.tgz")
    assert bytes(store.partial["https://h/k.tgz"].data) == archive


@pytest.mark.parametrize("name", ["d/a\\b", "d/a\nb"])
def test_a_member_whose_name_cannot_be_kept_is_unsafe(store: MemoryStore, task: RecordingTask, name: str) -> None:
    with pytest.raises(SourceError, match="cannot be placed") as caught:
        locked("{url: https://h/a, members: {d/: k/}}", {"https://h/a": tgz({name: b""})}, store, task)

    assert caught.value.id == ErrorId.SOURCE_ARCHIVE_UNSAFE


def test_members_that_land_on_one_path_are_refused(store: MemoryStore, task: RecordingTask) -> None:
    item = "{url: https://h/a, members: {d/: k/, e/: k/}}"

    with pytest.raises(ManifestError, match="e/X and d/x both land on k/x") as caught:
        locked(item, {"https://h/a": tgz({"d/x": b"1", "e/X": b"2"})}, store, task)

    assert caught.value.where.startswith("m.yaml:5:")


def test_each_platform_is_pinned_by_itself(store: MemoryStore, task: RecordingTask) -> None:
    files = {"https://h/amd64": b"a", "https://h/arm64": b"b"}

    artifacts = locked("{path: 'x-${arch}', url: 'https://h/${arch}'}", files, store, task)

    assert [(artifact.key, artifact.platforms) for artifact in artifacts] == [
        ("x-amd64", (AMD64,)),
        ("x-arm64", (ARM64,)),
    ]


def test_urls_are_tried_in_order(store: MemoryStore, task: RecordingTask) -> None:
    given, downloader = sources({"https://two/x": TARBALL}, store)

    [artifact] = KIND.lock(entry("{path: x, urls: [https://one/x, https://two/x, https://three/x]}"), given, task)

    assert downloader.asked == ["https://one/x", "https://two/x"]
    assert artifact.urls == ("https://one/x", "https://two/x", "https://three/x")
    assert any("https://one/x" in note and "trying the next url" in note for note in task.notes)


def test_wrong_bytes_give_way_to_the_next_url(store: MemoryStore, task: RecordingTask) -> None:
    item = f"{{path: x, urls: [https://one/x, https://two/x], sha512: '{SHA512}'}}"

    [artifact] = locked(item, {"https://one/x": b"evil", "https://two/x": TARBALL}, store, task)

    assert artifact.content == Blob.of(TARBALL)
    assert not store.partial
    assert task.advanced == len(TARBALL)


def test_wrong_bytes_outrank_an_unreachable_url(store: MemoryStore, task: RecordingTask) -> None:
    item = f"{{path: x, urls: [https://one/x, https://two/x], sha256: '{SHA256}'}}"

    with pytest.raises(IntegrityError) as caught:
        locked(item, {"https://one/x": b"evil"}, store, task)

    assert caught.value.where == "https://one/x"


def test_a_damaged_archive_gives_way_to_the_next_url(store: MemoryStore, task: RecordingTask) -> None:
    good = tgz({"m": b"member"})
    files = {"https://one/a": good[:-20], "https://two/a": good}

    [artifact] = locked("{path: x, urls: [https://one/a, https://two/a], member: m}", files, store, task)

    assert artifact.content == Blob.of(b"member")


def test_a_resumed_file_with_wrong_bytes_is_fetched_whole_once_more(store: MemoryStore, task: RecordingTask) -> None:
    with store.incoming("https://h/x") as incoming:
        incoming.write(b"old")
    given, downloader = sources({"https://h/x": TARBALL}, store)

    [artifact] = KIND.lock(entry(f"{{path: x, url: https://h/x, sha256: '{SHA256}'}}"), given, task)

    assert artifact.content == Blob.of(TARBALL)
    assert downloader.asked == ["https://h/x"] * 2


def test_a_relative_url_is_resolved_only_when_it_is_fetched(store: MemoryStore, task: RecordingTask) -> None:
    given, downloader = sources({"file:///home/op/files/a%20b.txt": b"text"}, store)

    [artifact] = KIND.lock(entry("{path: x, url: ../files/a b.txt}"), given, task)

    assert downloader.asked == ["file:///home/op/files/a%20b.txt"]
    assert artifact.urls == ("../files/a b.txt",)
    assert b"/home" not in dump_pretty(artifact.encode())


@pytest.mark.parametrize("promise", [f"sha512: '{SHA512}'", "checksum_url: https://h/sum"])
def test_a_mirror_that_does_not_keep_the_promise_gives_way_to_the_original(
    store: MemoryStore, task: RecordingTask, promise: str
) -> None:
    answers = {
        "https://m.example/sum": Reply(body=b"<html>log in</html>"),
        "https://h/sum": Reply(body=SHA512.encode()),
        "https://m.example/x": Reply(body=TARBALL[::-1]),
        "https://h/x": Reply(body=TARBALL),
    }
    transport = FakeTransport(lambda asked: answers[asked.url])

    [artifact] = KIND.lock(
        entry(f"{{path: x, url: https://h/x, {promise}}}"),
        over(transport, store, "https://h/=https://m.example/"),
        task,
    )

    assert (artifact.content, artifact.held_to.via) == (Blob.of(TARBALL), "")
    assert not store.partial


def test_a_file_that_is_older_than_time_has_no_date(store: MemoryStore, task: RecordingTask) -> None:
    reply = Reply(200, {"Last-Modified": "Wed, 31 Dec 1969 23:59:59 GMT"}, TARBALL)
    [artifact] = KIND.lock(entry("{path: x, url: https://h/x}"), over(FakeTransport(lambda _: reply), store), task)
    assert artifact.date is None


PAGE = Reply(200, {"Content-Type": "text/html; charset=utf-8"}, b"<!DOCTYPE html><title>Sign in</title>")


@pytest.mark.parametrize("extra", ["", ", member: keadm", f", sha256: {SHA256}"])
def test_a_web_page_in_place_of_a_file_is_not_pinned(store: MemoryStore, task: RecordingTask, extra: str) -> None:
    with pytest.raises(SourceError, match="a web page") as caught:
        KIND.lock(
            entry(f"{{path: k/x.tgz, url: 'https://h/x.tgz'{extra}}}"), over(ScriptedTransport(PAGE), store), task
        )
    assert caught.value.id == ErrorId.SOURCE_INVALID
    assert not store.blobs
    assert not store.partial


def test_what_stands_in_the_next_place_is_taken_for_a_page(store: MemoryStore, task: RecordingTask) -> None:
    transport = ScriptedTransport(PAGE, Reply(200, {}, TARBALL))
    [artifact] = KIND.lock(entry("{path: x, urls: ['https://h/x', 'https://i/x']}"), over(transport, store), task)
    assert artifact.content == Blob.of(TARBALL)
    assert "a web page" in task.notes[0]


@pytest.mark.parametrize(
    "item",
    [
        "{path: docs/index.html, url: 'https://h/docs/'}",
        "{path: docs/index, url: 'https://h/docs/index.HTM?x=1'}",
        f"{{path: x, url: 'https://h/x', sha256: {Blob.of(PAGE.body).digest.hex}}}",
    ],
    ids=["landing", "asked-for", "promised"],
)
def test_a_page_that_is_wanted_is_taken(store: MemoryStore, task: RecordingTask, item: str) -> None:
    [artifact] = KIND.lock(entry(item), over(ScriptedTransport(PAGE), store), task)
    assert artifact.content == Blob.of(PAGE.body)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("\u8bf4\u660e.txt".encode("gbk").decode("utf-8", "surrogateescape"), "is not in UTF-8"),
        ("e\u0301.txt", "is not in Unicode normal form C"),
    ],
    ids=["GBK", "NFD"],
)
def test_names_in_another_encoding_are_what_they_are(
    store: MemoryStore, task: RecordingTask, name: str, said: str
) -> None:
    files = {"https://h/x.tgz": tgz({f"d/{name}": b"a", "keadm": b"b"})}
    [artifact] = locked("{path: keadm, url: https://h/x.tgz, member: keadm}", files, store, task)
    assert artifact.content == Blob.of(b"b")
    with pytest.raises(SourceError, match=said) as caught:
        locked("{url: https://h/x.tgz, members: {d/: k/}}", files, store, task)
    assert caught.value.id == ErrorId.SOURCE_INVALID
    assert caught.value.text().isascii()


def test_a_member_in_another_normal_form_is_told_how_to_be_written(store: MemoryStore, task: RecordingTask) -> None:
    files = {"https://h/x.tgz": tgz({"e\u0301.txt": b"a"})}
    with pytest.raises(ManifestError, match=r'write "e\\u0301.txt" in double quotes'):
        locked("{path: k, url: https://h/x.tgz, member: \u00e9.txt}", files, store, task)
    [artifact] = locked('{path: k, url: https://h/x.tgz, member: "e\\u0301.txt"}', files, store, task)
    assert artifact.content == Blob.of(b"a")
