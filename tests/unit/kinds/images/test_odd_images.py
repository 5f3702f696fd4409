"""Images as the field has them: indexes within indexes, platforms told badly or not at all, sizes that are wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError, ManifestError
from bundler.kinds.images.documents import require_documents
from bundler.kinds.images.entry import ImageEntry
from bundler.kinds.images.fetching import MAX_NESTING, fetch_image_part, narrow_image
from bundler.kinds.images.kind import ImagesKind
from bundler.model.image.oci import OCI_INDEX, OCI_MANIFEST
from bundler.model.manifest import ROLES
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.model.source_text import Position
from bundler.net.http.attempt import other_size
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import OCI_CONFIG, OCI_LAYER, MemoryRegistry, descriptor, image_sources
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.model.digest import Blob
    from bundler.model.image.artifact import ImageArtifact
    from bundler.model.progress import Task
    from bundler.model.sink import Sink

NAME = "registry.k8s.io/app"
AMD64, ARM64 = {"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"}
ROOTS = {"type": "layers", "diff_ids": []}


@dataclass
class Upstream:
    """A registry that images are put into by hand."""

    directory: Path
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    task: RecordingTask = field(default_factory=RecordingTask)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.directory)

    def image(self, config: dict[str, Any], *, tag: str = "", **layer_says: Any) -> dict[str, Any]:
        """Put an image of one layer, and return its descriptor."""
        content = json.dumps(config).encode()
        layer = self.registry.add_blob(NAME, b"layer of " + content)
        told = {**descriptor(OCI_LAYER, layer), **layer_says}
        document = {"config": descriptor(OCI_CONFIG, self.registry.add_blob(NAME, content)), "layers": [told]}
        return self._put(OCI_MANIFEST, {"schemaVersion": 2, "mediaType": OCI_MANIFEST, **document}, tag)

    def index(self, *children: dict[str, Any], tag: str = "") -> dict[str, Any]:
        """Put an index, and return its descriptor."""
        return self._put(OCI_INDEX, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children)}, tag)

    def _put(self, media_type: str, document: dict[str, Any], tag: str) -> dict[str, Any]:
        blob = self.registry.add_document(f"{NAME}:{tag}" if tag else f"{NAME}@", media_type, document)
        return descriptor(media_type, blob)

    def lock(self, *platforms: str) -> ImageArtifact:
        wanted = tuple(map(Platform.parse, platforms or ("linux/amd64",)))
        text = f"{NAME}:1"
        entry = ImageEntry(text, Position("m.yaml", 7, 3), Reference.parse(text), (), wanted, ROLES)
        (artifact,) = ImagesKind().lock(entry, image_sources(self.registry, self.store), self.task)
        return artifact

    def fetch(self, artifact: ImageArtifact, store: MemoryStore | None = None) -> MemoryStore:
        """Fetch from a lock alone, into a store that is empty."""
        store = store or MemoryStore(self.directory)
        for one in ImagesKind().fetches([artifact]):
            fetch_image_part(one.detail, image_sources(self.registry, store), self.task)  # type: ignore[arg-type]
        return store

    def failure(self, *platforms: str) -> BundlerError:
        with pytest.raises(BundlerError) as caught:
            self.lock(*platforms)
        return caught.value


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path)


def full(platform: dict[str, str]) -> dict[str, Any]:
    return {**platform, "rootfs": ROOTS}


def test_an_index_within_an_index_as_buildx_lays_it_out_with_attestations(upstream: Upstream) -> None:
    wanted = upstream.image(full(AMD64))
    statement = {**upstream.image({"of": "it"}), "platform": {"os": "unknown", "architecture": "unknown"}}
    inner = upstream.index({**wanted, "platform": AMD64}, statement)
    other = {**upstream.index({**upstream.image(full(ARM64)), "platform": ARM64}), "platform": ARM64}
    upstream.index({**inner, "platform": AMD64}, other, tag="1")
    found = upstream.lock()
    made = json.loads(upstream.store.read(found.top))
    # what is bundled is one index of images: Docker before 23 and skopeo look into no second one
    assert made["manifests"] == [{**wanted, "platform": AMD64}]
    assert [str(image.manifest.digest) for image in found.images] == [wanted["digest"]]
    assert f"manifest {NAME}@{other['digest']}" not in upstream.registry.requests, "another platform's is not read"
    assert "an index within its index" in " ".join(upstream.task.notes)


def test_what_the_outer_index_does_not_say_the_inner_one_does_and_the_reverse(upstream: Upstream) -> None:
    silent, told = upstream.image(full(AMD64)), {**upstream.image(full(ARM64)), "platform": ARM64}
    upstream.index({**upstream.index(silent), "platform": AMD64}, upstream.index(told), tag="1")
    found = upstream.lock("linux/amd64", "linux/arm64")
    made = json.loads(upstream.store.read(found.top))
    assert made["manifests"] == [{**silent, "platform": AMD64}, told]


def test_a_lock_of_a_nested_index_is_followed_and_narrowed_elsewhere(upstream: Upstream) -> None:
    children = [{**upstream.image(full(platform)), "platform": platform} for platform in (AMD64, ARM64)]
    upstream.index(upstream.index(*children), tag="1")
    found = upstream.lock("linux/amd64", "linux/arm64")
    store = upstream.fetch(found)
    assert {found.top.digest, found.upstream.digest} <= set(store.blobs)
    require_documents([found], store)
    narrowed = narrow_image(found, [Platform.parse("linux/arm64")], image_sources(upstream.registry, store))
    assert narrowed is not None
    assert json.loads(store.read(narrowed.top))["manifests"] == [children[1]]


def test_indexes_without_end_are_refused(upstream: Upstream) -> None:
    inner = upstream.index({**upstream.image(full(AMD64)), "platform": AMD64})
    for _ in range(MAX_NESTING):
        inner = upstream.index(inner)
    upstream.index(inner, tag="1")
    assert "too many indexes within its index" in str(upstream.failure())


@pytest.mark.parametrize(
    "config",
    [{}, {"architecture": "", "os": ""}, {"os": "linux"}, {"architecture": "amd64"}, {"os": None, "architecture": 7}],
    ids=str,
)
def test_a_lone_image_without_a_platform_is_for_the_one_that_is_wanted(
    upstream: Upstream, config: dict[str, Any]
) -> None:
    upstream.image({**config, "rootfs": ROOTS}, tag="1")
    assert [str(platform) for platform in upstream.lock().platforms] == ["linux/amd64"]
    (note,) = upstream.task.notes
    assert "taken for linux/amd64, the one platform that is wanted" in note
    failure = upstream.failure("linux/amd64", "linux/arm64")
    assert isinstance(failure, ManifestError)
    assert "does not tell which of linux/amd64, linux/arm64 it is for" in str(failure)
    assert "names no operating system or no architecture" in str(failure)


def test_half_a_platform_that_contradicts_is_not_taken_for_another(upstream: Upstream) -> None:
    upstream.image({"architecture": "arm64", "rootfs": ROOTS}, tag="1")
    assert upstream.failure().id == ErrorId.IMAGE_PLATFORM_MISSING


def test_what_is_no_image_is_refused_as_such(upstream: Upstream) -> None:
    upstream.image({"name": "a chart"}, tag="1")
    failure = upstream.failure()
    assert failure.id == ErrorId.SOURCE_INVALID
    assert "no operating system and architecture, and no root file system" in str(failure)


def test_an_indexs_word_counts_where_a_config_has_none(upstream: Upstream) -> None:
    children = [{**upstream.image({"rootfs": ROOTS, "n": name}), "platform": name} for name in (AMD64, ARM64)]
    upstream.index(*children, tag="1")
    found = upstream.lock("linux/amd64", "linux/arm64")
    assert [str(image.manifest.digest) for image in found.images] == [child["digest"] for child in children]


@pytest.mark.parametrize("word", ["x86_64", "AMD64", "x86-64", "Amd64"])
@pytest.mark.parametrize("place", ["config", "index"])
def test_other_words_for_amd64(upstream: Upstream, word: str, place: str) -> None:
    odd = {"os": "Linux", "architecture": word}
    if place == "config":
        upstream.image(full(odd), tag="1")
    else:
        upstream.index({**upstream.image(full(AMD64)), "platform": odd}, tag="1")
    assert [str(platform) for platform in upstream.lock().platforms] == ["linux/amd64"]
    assert upstream.task.notes == []


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (("linux", "aarch64", ""), "linux/arm64"),
        (("linux", "armhf", ""), "linux/arm/v7"),
        (("linux", "armel", ""), "linux/arm/v6"),
        (("linux", "arm", "7"), "linux/arm/v7"),
        (("linux", "ARM64", "V8"), "linux/arm64/v8"),
        (("linux", "i386", ""), "linux/386"),
        (("Windows", "amd64", ""), "windows/amd64"),
    ],
)
def test_words_of_the_field(told: tuple[str, str, str], meant: str) -> None:
    assert str(Platform.understood(*told)) == meant


@pytest.mark.parametrize("off", [-1, 1, 100])
def test_a_layer_whose_size_in_the_manifest_is_wrong(upstream: Upstream, off: int) -> None:
    size = len(b"layer of " + json.dumps(full(AMD64)).encode())
    upstream.image(full(AMD64), tag="1", size=size + off)
    artifact = upstream.lock()
    with pytest.raises(BundlerError) as caught:
        upstream.fetch(artifact)
    assert caught.value.id == ErrorId.IMAGE_SIZE_WRONG
    assert f"is {size + off} bytes long, and under its digest the registry has {size} bytes" in str(caught.value)
    assert "lock" not in caught.value.text()


def test_a_size_that_the_registry_announces_is_told_the_same_way(upstream: Upstream) -> None:
    class Announcing(MemoryRegistry):
        def blob(self, repositories: Sequence[Reference], blob: Blob, sink: Sink, task: Task) -> str:
            del repositories, sink, task
            raise other_size("https://registry.k8s.io/v2/app", blob.size, "7 bytes")

    upstream.image(full(AMD64), tag="1")
    artifact = upstream.lock()
    upstream.registry = Announcing(upstream.registry.tags, upstream.registry.documents, upstream.registry.blobs)
    with pytest.raises(BundlerError) as caught:
        upstream.fetch(artifact)
    assert caught.value.id == ErrorId.IMAGE_SIZE_WRONG
    assert "the registry has 7 bytes" in str(caught.value)


def test_a_manifest_whose_size_in_the_index_is_wrong(upstream: Upstream) -> None:
    child = upstream.image(full(AMD64))
    upstream.index({**child, "size": child["size"] + 3, "platform": AMD64}, tag="1")
    assert upstream.failure().id == ErrorId.IMAGE_SIZE_WRONG


def test_other_bytes_are_still_another_digest(upstream: Upstream) -> None:
    upstream.image(full(AMD64), tag="1")
    artifact = upstream.lock()
    (layer,) = artifact.images[0].layers
    upstream.registry.blobs[NAME, layer.digest] = b"other bytes"
    with pytest.raises(IntegrityError):
        upstream.fetch(replace(artifact))
