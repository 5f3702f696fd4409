"""How differences of two locks are told: which versions belong together, and which is the newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.diff import Versions, lock_versions
from bundler.model.digest import Blob, Digest
from bundler.model.file_artifact import FileArtifact
from bundler.model.image.artifact import ImageArtifact, PlatformImage, compare_tags
from bundler.model.image.oci import OCI_MANIFEST, Descriptor
from bundler.model.lock import Lock, LockedEntry
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.model.rpm.artifact import RpmArtifact
from bundler.model.rpm.nevra import Nevra
from bundler.model.upgrade import UpgradeStep, move_counts, upgrade_steps

if TYPE_CHECKING:
    from bundler.model.artifact import Artifact

AMD64 = Platform("linux", "amd64")
NOBODY = HeldTo("first-use")


def package(nevra: str, data: bytes = b"rpm") -> RpmArtifact:
    content = Blob.of(data)
    name = Nevra.parse(nevra)
    return RpmArtifact(
        BundlePath("yum"), name, "base", (f"https://e.example/{name.file_name}",), content, content.digest, NOBODY,
        signed=True, date=0, summary="", platform=AMD64,
    )  # fmt: skip


def image(reference: str, data: bytes) -> ImageArtifact:
    top = Descriptor(OCI_MANIFEST, Blob.of(data))
    child = PlatformImage(AMD64, top, Descriptor("application/vnd.oci.image.config.v1+json", Blob.of(b"{}")), ())
    name = Reference.parse(reference)
    return ImageArtifact(name, top.blob, top.blob, OCI_MANIFEST, None, NOBODY, (), ("cloud",), (child,))


def plain_file(path: str, data: bytes) -> FileArtifact:
    return FileArtifact(BundlePath(path), Blob.of(data), ("https://e.example/x",), Blob.of(data), NOBODY)


def locked(*artifacts: Artifact) -> Versions:
    entries = (LockedEntry("things", str(n), Digest.sha256(b""), (one,)) for n, one in enumerate(artifacts))
    return lock_versions(Lock(Digest.sha256(b""), (), {}, tuple(entries)))


def steps(old: Artifact | None, new: Artifact | None) -> list[tuple[str, str, str, str]]:
    found = upgrade_steps(*(locked(*([] if side is None else [side])) for side in (old, new)))
    return [(step.move, step.name, step.old, step.new) for step in found]


def test_packages_go_up_and_down_as_rpm_orders_them() -> None:
    older, newer = package("docker-ce-3:20.10.9-3.el7.x86_64"), package("docker-ce-3:20.10.10-3.el7.x86_64")
    name = "yum/docker-ce.x86_64"
    assert steps(older, newer) == [("upgraded", name, "3:20.10.9-3.el7", "3:20.10.10-3.el7")]
    assert steps(newer, older) == [("downgraded", name, "3:20.10.10-3.el7", "3:20.10.9-3.el7")]


def test_other_bytes_of_one_version_are_told() -> None:
    nevra = "runc-1.0-1.x86_64"
    assert steps(package(nevra, b"one"), package(nevra, b"two")) == [("replaced", "yum/runc.x86_64", "1.0-1", "1.0-1")]
    assert steps(package(nevra), package(nevra)) == []


def test_images_of_one_repository_are_versions_of_each_other() -> None:
    older, newer = image("registry.k8s.io/kube-proxy:v1.22.9", b"1"), image("registry.k8s.io/kube-proxy:v1.22.10", b"2")
    assert steps(older, newer) == [("upgraded", "registry.k8s.io/kube-proxy", "v1.22.9", "v1.22.10")]
    assert steps(newer, older) == [("downgraded", "registry.k8s.io/kube-proxy", "v1.22.10", "v1.22.9")]


def test_a_tag_that_moved_is_told_by_digests() -> None:
    one, two = (image("registry.k8s.io/pause:3.5", data) for data in (b"1", b"2"))
    assert steps(one, two) == [("changed", "registry.k8s.io/pause:3.5", one.version, two.version)]


def test_two_tags_of_one_repository_are_no_successors_when_a_third_comes() -> None:
    one, two, three = (image(f"r.example/app:{tag}", tag.encode()) for tag in ("v1", "v2", "v3"))
    found = upgrade_steps(locked(one), locked(two, three))
    assert [(step.move, step.name) for step in found] == [
        ("added", "r.example/app:v2"), ("added", "r.example/app:v3"), ("removed", "r.example/app:v1"),
    ]  # fmt: skip


def test_files_are_added_removed_and_changed() -> None:
    old = plain_file("kubeedge/keadm", b"1")
    new = plain_file("kubeedge/keadm", b"22")
    assert steps(old, new) == [("changed", "kubeedge/keadm", old.version, new.version)]
    assert steps(None, new) == [("added", "kubeedge/keadm", "", new.version)]
    assert steps(old, None) == [("removed", "kubeedge/keadm", old.version, "")]
    [step] = upgrade_steps(locked(old), locked(new))
    assert (step.old_size, step.new_size, step.added_bytes) == (1, 2, 1)


def test_moves_are_counted_the_alarming_ones_first() -> None:
    moves = [UpgradeStep(move, "k", "n", "", "", 0, 0) for move in ("added", "upgraded", "downgraded", "added")]
    assert list(move_counts(moves).items()) == [("downgraded", 1), ("upgraded", 1), ("added", 2)]


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [("v1.9.0", "1.10.0", -1), ("3.5", "3.5-eks", -1), ("latest", "v2", 0), ("2025", "2024", 1), ("v1", "v1.0", -1)],
)
def test_tags_are_ordered_where_both_are_versions(one: str, other: str, order: int) -> None:
    assert compare_tags(one, other) == order
