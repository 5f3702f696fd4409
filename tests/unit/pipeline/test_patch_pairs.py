"""Which old file a new one is patched against: by path, by the key of an artifact, by an image's layer and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob, Digest
from bundler.model.image.artifact import ImageArtifact, PlatformImage
from bundler.model.image.oci import OCI_MANIFEST, Descriptor
from bundler.model.lock import Lock, LockedEntry
from bundler.model.placement import Placement
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.pipeline.patch_pairs import patch_pairs
from tests.fakes.notes import NoteArtifact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.artifact import Artifact

AMD64, ARM = Platform("linux", "amd64"), Platform("linux", "arm", "v7")


def blob(text: str) -> Blob:
    return Blob.of(text.encode())


def image(tag: str, layers: dict[Platform, Sequence[str]]) -> ImageArtifact:
    images = tuple(
        PlatformImage(
            platform,
            Descriptor(OCI_MANIFEST, blob(f"manifest {tag} {platform}")),
            Descriptor("config", blob(f"config {tag} {platform}")),
            tuple(Descriptor("layer", blob(text)) for text in of_one),
        )
        for platform, of_one in layers.items()
    )
    top = blob(f"top {tag}")
    reference = Reference.parse(f"docker.io/demo/app:{tag}")
    return ImageArtifact(reference, top, top, OCI_MANIFEST, 0, HeldTo("first-use"), (), (), images)


def lock(*artifacts: Artifact, kind: str = "images") -> Lock:
    entries = tuple(LockedEntry(kind, artifact.key, Digest.sha256(b""), (artifact,)) for artifact in artifacts)
    return Lock(Digest.sha256(b""), (AMD64,), {}, entries)


@dataclass
class Old:
    """An old bundle with this lock and further files."""

    lock: Lock
    files: dict[str, Blob] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Blob]:
        """What lies where in the base."""
        found: dict[str, Blob] = {}
        for entry in self.lock.entries:
            for item in entry.artifacts:
                found |= {str(path): blob for path, blob in item.placed.items()}
        return {**found, **self.files}


def wanted(new: Lock) -> list[Placement]:
    return [
        Placement(path, blob, entry.kind)
        for entry in new.entries
        for item in entry.artifacts
        for path, blob in item.placed.items()
    ]


def test_a_layer_follows_the_one_at_its_place_for_its_platform() -> None:
    old = Old(lock(image("1", {AMD64: ["base", "app 1"], ARM: ["base", "arm 1"]})))
    new = lock(image("2", {AMD64: ["base", "app 2"], ARM: ["base", "arm 2", "more"]}))
    pairs = patch_pairs(wanted(new), new, old.content, old.lock)
    assert pairs == {blob("app 2"): blob("app 1"), blob("arm 2"): blob("arm 1")}
    assert patch_pairs(wanted(new), new, old.content, None) == {}


def test_a_file_at_the_same_path_says_more_than_any_name() -> None:
    old = Old(lock(NoteArtifact("a", blob("old note")), kind="notes"), {"a": blob("what lies there")})
    new = lock(NoteArtifact("a", blob("new note")), kind="notes")
    assert patch_pairs(wanted(new), new, old.content, old.lock) == {blob("new note"): blob("what lies there")}


def test_an_artifact_that_the_base_s_bundle_does_not_hold_is_no_pair() -> None:
    old = Old(lock(image("1", {AMD64: ["app 1"]})))
    new = lock(image("2", {AMD64: ["app 2"]}))
    assert patch_pairs(wanted(new), new, {}, old.lock) == {}
