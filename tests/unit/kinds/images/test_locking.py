from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError, ManifestError, SourceError
from bundler.kinds.images.entry import ImageEntry
from bundler.kinds.images.kind import ImagesKind
from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob
from bundler.model.image.oci import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST
from bundler.model.image.reference import Reference
from bundler.model.manifest import ROLES
from bundler.model.platform import Platform
from bundler.model.source_text import Position
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import CREATED_SECONDS, MemoryRegistry, descriptor, image_sources
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.image.artifact import ImageArtifact

NAME = "registry.k8s.io/app"
BOTH = {"linux/amd64": [b"base", b"own"], "linux/arm64": [b"base64"]}
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"


@dataclass
class Case:
    """A kind with an upstream and a store of its own."""

    store: MemoryStore
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    task: RecordingTask = field(default_factory=RecordingTask)

    def lock(self, text: str, *platforms: str) -> ImageArtifact:
        wanted = tuple(Platform.parse(platform) for platform in platforms or ("linux/amd64", "linux/arm64"))
        names = (Reference.parse("also:1"),)
        entry = ImageEntry(text, Position("m.yaml", 7, 3), Reference.parse(text), names, wanted, ("edge",))
        (artifact,) = ImagesKind().lock(entry, image_sources(self.registry, self.store), self.task)
        return artifact

    def failure(self, text: str, *platforms: str) -> BundlerError:
        with pytest.raises(BundlerError) as caught:
            self.lock(text, *platforms)
        return caught.value


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(MemoryStore(tmp_path))


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_all_of_whose_images_are_wanted(case: Case, docker: bool) -> None:
    made = case.registry.add_image(f"{NAME}:1", BOTH, docker=docker)
    case.registry.via = "mirror.example"
    found = case.lock(f"{NAME}:1")
    assert found.top == found.upstream == made.top
    assert found.media_type == (DOCKER_INDEX if docker else OCI_INDEX)
    assert found.held_to == HeldTo("first-use", via="mirror.example")
    assert (found.created, found.roles) == (CREATED_SECONDS, ("edge",))
    assert [str(name) for name in found.names] == [f"{NAME}:1", "docker.io/library/also:1"]
    for image, platform in zip(found.images, BOTH, strict=True):
        assert str(image.platform) == platform
        assert image.manifest.blob == made.manifests[platform]
        assert image.config.blob == made.configs[platform]
        assert tuple(layer.blob for layer in image.layers) == made.layers[platform]


def test_documents_and_configs_are_stored_and_layers_are_not(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", BOTH)
    case.lock(f"{NAME}:1")
    stored = {made.top, *made.manifests.values(), *made.configs.values()}
    assert set(case.store.blobs) == {blob.digest for blob in stored}
    assert case.task.advanced == sum(blob.size for blob in stored)
    assert case.task.notes == []


def test_some_images_of_an_index(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", BOTH, attestations=True)
    found = case.lock(f"{NAME}:1")
    assert found.upstream == made.top != found.top, "attestations are left out"
    pruned = json.loads(case.store.read(found.top))
    assert [child["digest"] for child in pruned["manifests"]] == [str(blob.digest) for blob in made.manifests.values()]
    assert pruned["annotations"] == {"ä": "ö"}
    one = case.lock(f"{NAME}:1", "linux/arm64")
    assert len(json.loads(case.store.read(one.top))["manifests"]) == 1
    assert one.is_index
    assert case.task.notes == []


def test_the_order_of_wanted_platforms_does_not_change_the_index(case: Case) -> None:
    case.registry.add_image(f"{NAME}:1", BOTH | {"linux/s390x": [b"z"]})
    forth, back = case.lock(f"{NAME}:1"), case.lock(f"{NAME}:1", "linux/arm64", "linux/amd64")
    assert forth.top == back.top
    assert forth.images == back.images[::-1]


def test_a_single_manifest(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", {"linux/amd64": [b"a"]}, created=None)
    found = case.lock(f"{NAME}:1", "linux/amd64")
    assert (found.top, found.upstream, found.media_type) == (made.top, made.top, OCI_MANIFEST)
    assert not found.is_index
    assert found.created is None


def test_a_digest_in_the_manifest(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", BOTH)
    for text in (f"{NAME}@{made.top.digest}", f"{NAME}:1@{made.top.digest}"):
        assert case.lock(text).held_to == HeldTo("manifest")
    assert case.registry.requests[0] == f"manifest {NAME}@{made.top.digest}"
    assert f"manifest {NAME}:1" in case.registry.requests, "the tag is asked for, the digest checked"


def test_a_tag_that_is_not_at_its_digest(case: Case) -> None:
    old = case.registry.add_image(f"{NAME}:1", BOTH)
    new = case.registry.add_image(f"{NAME}:1", BOTH | {"linux/arm/v7": [b"new"]})
    failure = case.failure(f"{NAME}:1@{old.top.digest}")
    assert isinstance(failure, IntegrityError)
    assert (failure.want, failure.got) == (str(old.top.digest), str(new.top.digest))
    assert "m.yaml:7:3" in str(failure)


def test_a_pinned_index_that_has_to_be_pruned_is_remarked(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", BOTH)
    found = case.lock(f"{NAME}@{made.top.digest}", "linux/amd64")
    (note,) = case.task.notes
    assert "of whose 2 manifests the bundle holds 1" in note
    assert str(found.top.digest) in note


@pytest.mark.parametrize(
    ("index", "wanted", "says"),
    [
        (True, ["linux/amd64", "linux/arm/v6"], "not published for linux/arm/v6, only for linux/amd64, linux/arm64"),
        (False, ["linux/s390x"], "not published for linux/s390x, only for linux/amd64"),
    ],
)
def test_a_platform_that_the_image_lacks(case: Case, index: bool, wanted: list[str], says: str) -> None:
    case.registry.add_image(f"{NAME}:1", BOTH if index else {"linux/amd64": [b"a"]}, attestations=True)
    failure = case.failure(f"{NAME}:1", *wanted)
    assert isinstance(failure, ManifestError)
    assert failure.id == ErrorId.IMAGE_PLATFORM_MISSING
    assert f"m.yaml:7:3: {NAME}:1 is {says}" in str(failure)


def test_an_index_that_names_no_platforms(case: Case) -> None:
    case.registry.add_image(f"{NAME}:1", BOTH, names_platforms=False)
    assert [str(platform) for platform in case.lock(f"{NAME}:1").platforms] == list(BOTH)
    assert case.failure(f"{NAME}:1", "linux/s390x").id == ErrorId.IMAGE_PLATFORM_MISSING


def test_a_platform_that_the_image_does_not_keep(case: Case) -> None:
    case.registry.add_image(f"{NAME}:1", BOTH, calls_itself="linux/amd64")
    case.lock(f"{NAME}:1")
    assert case.task.notes == [f"{NAME}:1: what its index calls linux/arm64 calls itself linux/amd64"]


def test_foreign_layers_are_skipped(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", {"linux/amd64": [b"far", b"near"]}, layer_types=[FOREIGN])
    (image,) = case.lock(f"{NAME}:1", "linux/amd64").images
    far, near = made.layers["linux/amd64"]
    assert ([layer.blob for layer in image.layers], [layer.blob for layer in image.skipped]) == ([near], [far])
    assert "1 foreign layers are left out" in case.task.notes[0]


def test_zstd_layers_are_remarked(case: Case) -> None:
    case.registry.add_image(f"{NAME}:1", {"linux/amd64": [b"z"]}, layer_types=[ZSTD])
    case.lock(f"{NAME}:1", "linux/amd64")
    assert case.task.notes == [f"{NAME}:1 (linux/amd64): has zstd layers, which Docker before 23 cannot load"]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b'{"schemaVersion": 1}', ErrorId.IMAGE_SCHEMA_UNSUPPORTED),
        (b"<html>", ErrorId.SOURCE_INVALID),
        (json.dumps({"config": descriptor("a/b", Blob.of(b"{}")), "layers": []}).encode(), ErrorId.SOURCE_INVALID),
    ],
)
def test_what_is_no_image(case: Case, document: bytes, expected: ErrorId) -> None:
    case.registry.add_document(f"{NAME}:1", "application/json", document)
    case.registry.add_blob(NAME, b"{}")
    failure = case.failure(f"{NAME}:1", "linux/amd64")
    assert isinstance(failure, SourceError)
    assert (failure.id, failure.where) == (expected, f"{NAME}:1")


def test_a_config_too_long_to_be_one_is_not_fetched(case: Case) -> None:
    huge = {"mediaType": "a/b", "digest": str(Blob.of(b"x").digest), "size": 5_000_000}
    case.registry.add_document(f"{NAME}:1", OCI_MANIFEST, {"config": huge, "layers": []})
    assert case.failure(f"{NAME}:1").id == ErrorId.SOURCE_INVALID
    assert case.registry.requests == [f"manifest {NAME}:1"]


def test_a_child_of_another_size_than_its_index_says(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", BOTH)
    for platform, blob in made.manifests.items():
        case.registry.documents[NAME, blob.digest] = (OCI_MANIFEST, platform.encode())
    failure = case.failure(f"{NAME}:1")
    assert isinstance(failure, IntegrityError)
    assert failure.got.endswith(f", {len('linux/amd64')} bytes")
    assert made.manifests["linux/amd64"].digest not in case.store.blobs


def test_a_config_that_is_damaged_in_the_store_is_fetched_again(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", BOTH)
    config = made.configs["linux/amd64"]
    for blob in (config, made.manifests["linux/amd64"]):
        case.store.blobs[blob.digest] = b"\0" * blob.size
    case.lock(f"{NAME}:1")
    assert Blob.of(case.store.blobs[config.digest]) == config


def test_what_the_store_has_is_not_fetched_again(case: Case) -> None:
    case.registry.add_image(f"{NAME}:1", BOTH)
    case.lock(f"{NAME}:1")
    case.registry.requests.clear()
    case.lock(f"{NAME}:1")
    assert case.registry.requests == [f"manifest {NAME}:1"]


def test_an_image_that_is_not_there(case: Case) -> None:
    assert case.failure(f"{NAME}:1").id == ErrorId.SOURCE_NOT_FOUND


def test_an_estimate_pins_the_image_and_moves_no_layer(case: Case) -> None:
    made = case.registry.add_image(f"{NAME}:1", {"linux/amd64": [b"base", b"own"]})
    entry = ImageEntry(
        "x", Position("m", 1, 1), Reference.parse(f"{NAME}:1"), (), (Platform.parse("linux/amd64"),), ROLES
    )
    estimate = ImagesKind().estimate(entry, image_sources(case.registry, case.store), case.task)
    assert [artifact.key for artifact in estimate.artifacts] == [f"{NAME}:1"]
    provided = {blob for fetch in estimate.fetches for blob in fetch.provides}
    assert provided == {made.top, *made.configs.values(), *made.layers["linux/amd64"]}
    assert not {blob.digest for blob in made.layers["linux/amd64"]} & set(case.store.blobs)
