from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bundler.model.about import encode_about
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.file_artifact import FileArtifact
from bundler.model.json_value import dump_pretty
from bundler.model.lock import LockedEntry
from bundler.model.platform import Platform
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
    sources,
    tgz,
)

if TYPE_CHECKING:
    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore


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
            assert FileArtifact.decode(json.loads(dump_pretty(artifact.encode()))) == artifact


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
        FileArtifact.decode(encoded | {key: value})


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
    assert [artifact.placed for artifact in artifacts] == [{placement.path: placement.content}]
    assert (placement.mode, placement.mtime, placement.roles) == (0o755, MEMBER_S, ("edge",))
    assert placement.platforms == (ARM64,)
    assert encode_about(placement.about) == {"url": "https://h/a", "held_to": {"by": "first-use"}, "member": "m"}
