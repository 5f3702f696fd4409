from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, ManifestError, SourceError
from bundler.kinds.base import Sources
from bundler.kinds.files import FilesKind
from bundler.manifest.reader import read_manifest
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.file_artifact import FileArtifact
from bundler.model.file_entry import FileEntry
from bundler.model.json_value import dump_pretty
from bundler.model.lock import LockedEntry
from bundler.model.platform import Platform
from tests.fakes.downloader import WRITTEN_S, MappedDownloader
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import MemoryRegistry
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

KIND = FilesKind()
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
TARBALL = b"the tarball"
SHA512 = hashlib.sha512(TARBALL).hexdigest()
SHA256 = hashlib.sha256(TARBALL).hexdigest()
MEMBER_S = 1_600_000_000


def tgz(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), mode, MEMBER_S
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return MemoryStore(tmp_path / "store")


@pytest.fixture
def task() -> RecordingTask:
    return RecordingTask()


def sources(files: dict[str, bytes], store: MemoryStore, *, via: str = "") -> tuple[Sources, MappedDownloader]:
    downloader = MappedDownloader(files, via)
    return Sources(downloader, MemoryRegistry(), store, "/home/op/m"), downloader


def entry(item: str) -> FileEntry:
    text = f"version: 1\nname: t\nplatforms: [linux/amd64, linux/arm64]\nfiles:\n  - {item}\n"
    [read] = read_manifest(text.encode(), file="m.yaml", kinds=[KIND]).entries["files"]
    assert isinstance(read, FileEntry)
    return read


def locked(item: str, files: dict[str, bytes], store: MemoryStore, task: RecordingTask) -> tuple[FileArtifact, ...]:
    return KIND.lock(entry(item), sources(files, store)[0], task)


def fetch_all(artifacts: tuple[FileArtifact, ...], given: Sources, task: RecordingTask) -> None:
    for fetch in KIND.fetches(artifacts):
        KIND.fetch(fetch, given, task)


# -- pinning


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


CHECKSUM_BESIDE = "{path: k/x.tgz, url: https://h/x.tgz, checksum_url: https://h/x.txt, checksum_path: k/sum.txt}"


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


@pytest.mark.parametrize("name", ["d/a\\b", "d/a\nb", "d/e\u0301"])
def test_a_member_whose_name_cannot_be_kept_is_unsafe(store: MemoryStore, task: RecordingTask, name: str) -> None:
    with pytest.raises(SourceError, match="cannot be placed") as caught:
        locked("{url: https://h/a, members: {d/: k/}}", {"https://h/a": tgz({name: b""})}, store, task)

    assert caught.value.id == ErrorId.SOURCE_ARCHIVE_UNSAFE


def test_members_that_land_on_one_path_are_refused(store: MemoryStore, task: RecordingTask) -> None:
    item = "{url: https://h/a, members: {d/: k/, e/: k/}}"

    with pytest.raises(ManifestError, match="d/x and e/X both land on k/X") as caught:
        locked(item, {"https://h/a": tgz({"d/x": b"1", "e/X": b"2"})}, store, task)

    assert caught.value.where.startswith("m.yaml:5:")


def test_each_platform_is_pinned_by_itself(store: MemoryStore, task: RecordingTask) -> None:
    files = {"https://h/amd64": b"a", "https://h/arm64": b"b"}

    artifacts = locked("{path: 'x-${arch}', url: 'https://h/${arch}'}", files, store, task)

    assert [(artifact.key, artifact.platforms) for artifact in artifacts] == [
        ("x-amd64", (AMD64,)),
        ("x-arm64", (ARM64,)),
    ]


# -- several urls


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


# -- the lock's form


def test_an_artifact_survives_the_lock(store: MemoryStore, task: RecordingTask) -> None:
    archive = tgz({"m": b"member"})
    files = {
        "https://h/a": archive,
        "https://h/x": TARBALL,
        "https://h/x.tgz": TARBALL,
        "https://h/x.txt": SHA512.encode(),
    }
    items = [
        "{path: m, url: https://h/a, member: m, mode: '0755', roles: [edge], platforms: [linux/arm/v7]}",
        "{path: x, url: https://h/x}",
        CHECKSUM_BESIDE,
    ]
    for item in items:
        for artifact in locked(item, files, store, task):
            assert KIND.decode(json.loads(dump_pretty(artifact.encode()))) == artifact


def test_the_lock_of_a_member_reads_like_this() -> None:
    artifact = FileArtifact(
        path=BundlePath("k/keadm"),
        content=Blob(Digest("sha256", "1" * 64), 7),
        urls=("https://h/k.tgz",),
        download=Blob(Digest("sha256", "2" * 64), 99),
        held_to=HeldTo("published-checksum", "https://h/k.txt", "https://mirror/"),
        member="k/keadm",
        mode=0o755,
        date=1_600_000_000,
        platforms=(AMD64,),
    )

    assert artifact.encode() == {
        "path": "k/keadm",
        "digest": f"sha256:{'1' * 64}",
        "size": 7,
        "download": {"urls": ["https://h/k.tgz"], "digest": f"sha256:{'2' * 64}", "size": 99},
        "member": "k/keadm",
        "mode": "0755",
        "date": 1_600_000_000,
        "roles": ["cloud", "edge"],
        "platforms": ["linux/amd64"],
        "held_to": {"by": "published-checksum", "detail": "https://h/k.txt", "via": "https://mirror/"},
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", "../x"),
        ("path", 7),
        ("digest", "sha256:abc"),
        ("size", -1),
        ("size", True),
        ("mode", "0777"),
        ("mode", 755),
        ("date", "today"),
        ("date", -1),
        ("roles", ["root"]),
        ("platforms", ["x"]),
        ("held_to", {"by": "hearsay"}),
        ("download", {"urls": [], "digest": f"sha256:{SHA256}", "size": len(TARBALL)}),
        ("download", {"urls": ["u"], "digest": f"sha256:{'0' * 64}", "size": len(TARBALL)}),
        ("member", None),
    ],
)
def test_a_tampered_lock_is_refused(store: MemoryStore, task: RecordingTask, key: str, value: object) -> None:
    [artifact] = locked("{path: x, url: https://h/x}", {"https://h/x": TARBALL}, store, task)
    encoded = json.loads(dump_pretty(artifact.encode()))

    with pytest.raises((ValueError, KeyError, TypeError)):
        KIND.decode(encoded | {key: value})


# -- fetching


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


# -- size, narrowing, placing


def test_an_estimate_asks_for_sizes_and_moves_nothing(store: MemoryStore, task: RecordingTask) -> None:
    files = {"https://h/amd64": b"four", "https://h/arm64": b"size unknown"}
    given, _ = sources(files, store)

    estimate = KIND.estimate(entry("{path: 'x-${arch}', url: 'https://h/${arch}'}"), given, task)

    assert [fetch.transfer_bytes for fetch in estimate.fetches] == [4]
    assert estimate.unknown == ("x-arm64",)
    assert not store.blobs


def test_an_estimate_knows_what_the_manifest_pins(store: MemoryStore, task: RecordingTask) -> None:
    given, _ = sources({"https://h/x": TARBALL}, store)

    estimate = KIND.estimate(entry(f"{{path: x, url: https://h/x, sha256: '{SHA256}'}}"), given, task)

    assert estimate.fetches[0].provides == (Blob.of(TARBALL),)


def test_narrowing_keeps_what_any_of_the_platforms_needs(store: MemoryStore, task: RecordingTask) -> None:
    files = {"https://h/amd64": b"a", "https://h/arm64": b"b", "https://h/x": b"x"}
    given, _ = sources(files, store)
    per_platform = locked("{path: 'x-${arch}', url: 'https://h/${arch}'}", files, store, task)
    neutral = locked("{path: x, url: https://h/x}", files, store, task)

    left = [KIND.narrow(artifact, [Platform("linux", "arm64", "v8")], given) for artifact in (*per_platform, *neutral)]

    assert [artifact.key if artifact else None for artifact in left] == [None, "x-arm64", "x"]


def test_a_file_is_placed_with_all_that_a_reader_may_ask(store: MemoryStore, task: RecordingTask) -> None:
    given, _ = sources({"https://h/a": tgz({"m": b"member"})}, store)
    wanted = entry("{path: d/m, url: https://h/a, member: m, mode: '0755', roles: [edge], platforms: [linux/arm64]}")
    artifacts = KIND.lock(wanted, given, task)

    [placement] = KIND.place([LockedEntry("files", wanted.id, Digest.sha256(b""), artifacts)], [AMD64], given)

    assert (placement.path, placement.content, placement.kind) == ("d/m", Blob.of(b"member"), "files")
    assert (placement.mode, placement.mtime, placement.roles) == (0o755, MEMBER_S, ("edge",))
    assert placement.platforms == (ARM64,)
    assert placement.about == {"url": "https://h/a", "held_to": {"by": "first-use"}, "member": "m"}
