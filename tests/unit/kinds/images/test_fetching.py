from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, ManifestError, SourceError
from bundler.kinds.base import Fetch
from bundler.kinds.images.entry import ImageEntry
from bundler.kinds.images.kind import ImagesKind
from bundler.model.digest import Blob, Digest
from bundler.model.lock import LockedEntry
from bundler.model.manifest import ROLES
from bundler.model.platform import Platform
from bundler.model.progress import Unwatched
from bundler.model.reference import Reference
from bundler.model.source_text import Position
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import MemoryRegistry, image_sources
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.image.artifact import ImageArtifact

AMD64, ARM64, S390X = (Platform.parse(f"linux/{arch}") for arch in ("amd64", "arm64", "s390x"))
APP = {"linux/amd64": [b"base", b"app"], "linux/arm64": [b"base64", b"app64"], "linux/s390x": [b"z"]}
TOOL = {"linux/amd64": [b"base", b"tool", b"base"]}


@dataclass
class Case:
    """A kind with an upstream, and a store that holds only what is fetched from a lock."""

    directory: Path
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    kind: ImagesKind = field(default_factory=ImagesKind)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.directory)
        self.sources = image_sources(self.registry, self.store)

    def lock(self, text: str, *platforms: Platform) -> ImageArtifact:
        entry = ImageEntry(text, Position("m", 1, 1), Reference.parse(text), (), platforms or (AMD64,), ROLES)
        elsewhere = image_sources(self.registry, MemoryStore(self.directory))
        (artifact,) = self.kind.lock(entry, elsewhere, Unwatched())
        self.registry.requests.clear()
        return artifact

    def fetch_all(self, *artifacts: ImageArtifact) -> tuple[Fetch, ...]:
        fetches = self.kind.fetches(artifacts)
        for fetch in fetches:
            self.kind.fetch(fetch, self.sources, Unwatched())
        return fetches


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_a_lock_and_an_empty_store_are_enough(case: Case) -> None:
    case.registry.add_image("a/app:1", APP, attestations=True)
    case.registry.add_image("b/tool:1", TOOL)
    artifacts = case.lock("a/app:1", AMD64, ARM64), case.lock("b/tool:1")
    assert artifacts[0].top != artifacts[0].upstream
    case.fetch_all(*artifacts)
    for artifact in artifacts:
        for blob in artifact.blobs:
            assert Blob.of(case.store.read(blob)) == blob
    assert not case.store.partial


def test_every_blob_is_fetched_once(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    case.registry.add_image("b/tool:1", TOOL)
    case.registry.add_image("c/again:1", APP)
    artifacts = [case.lock("a/app:1", AMD64, ARM64), case.lock("b/tool:1"), case.lock("c/again:1", ARM64, S390X)]
    fetches = case.fetch_all(*artifacts)
    provided = [blob for fetch in fetches for blob in fetch.provides]
    assert len(provided) == len(set(provided))
    assert set(provided) == {blob for artifact in artifacts for blob in artifact.blobs}
    assert len(case.registry.requests) == len(set(case.registry.requests)) == len(fetches)
    assert not any(":1" in request.partition("@")[0] for request in case.registry.requests), "only by digest"


def test_the_order_of_the_artifacts_changes_nothing(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    case.registry.add_image("b/tool:1", TOOL)
    one, other = case.lock("a/app:1"), case.lock("b/tool:1")
    assert case.kind.fetches([one, other]) == case.kind.fetches([other, one])


def test_what_a_fetch_tells_the_plan(case: Case) -> None:
    made = case.registry.add_image("a/app:1", APP)
    case.registry.add_image("b/tool:1", TOOL)
    artifacts = case.lock("a/app:1", AMD64), case.lock("b/tool:1")
    fetches = {fetch.provides[0]: fetch for fetch in case.kind.fetches(artifacts)}
    base = fetches[Blob.of(b"base")]
    assert base.label == f"docker.io/a/app:1 {Blob.of(b'base').digest.hex[:12]}"
    assert base.artifacts == ("docker.io/a/app:1", "docker.io/b/tool:1")
    assert (base.transfer_bytes, base.scratch_bytes) == (len(b"base"), 0)
    index = fetches[made.top]
    assert index.provides == (made.top, artifacts[0].top)
    assert index.transfer_bytes == made.top.size


def test_progress_adds_up_to_what_was_announced(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    for fetch in case.kind.fetches([case.lock("a/app:1", AMD64, ARM64)]):
        task = RecordingTask()
        case.kind.fetch(fetch, case.sources, task)
        assert task.advanced == fetch.transfer_bytes


def test_any_repository_that_has_it_will_do(case: Case) -> None:
    made = case.registry.add_image("a/app:1", APP)
    case.registry.add_image("b/again:1", APP)
    artifacts = case.lock("a/app:1", AMD64), case.lock("b/again:1", AMD64)
    gone = {made.top.digest, Blob.of(b"base").digest}
    for held in (case.registry.documents, case.registry.blobs):
        for key in [key for key in held if key[0] == "docker.io/a/app" and key[1] in gone]:
            del held[key]
    case.fetch_all(*artifacts)
    assert case.store.has(made.top)
    assert case.store.has(Blob.of(b"base"))


def test_what_no_repository_has(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    artifact = case.lock("a/app:1", AMD64)
    case.registry.documents.clear()
    with pytest.raises(SourceError) as caught:
        case.fetch_all(artifact)
    assert caught.value.id == ErrorId.SOURCE_NOT_FOUND


def test_wrong_bytes_never_enter_the_store(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    artifact = case.lock("a/app:1", AMD64)
    base = Blob.of(b"base")
    case.registry.blobs["docker.io/a/app", base.digest] = b"esab"
    with pytest.raises(IntegrityError):
        case.fetch_all(artifact)
    assert not case.store.has(base)
    assert Digest.sha256(b"esab") not in case.store.blobs


def test_a_blob_that_arrived_meanwhile_is_not_fetched(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    fetches = case.kind.fetches([case.lock("a/app:1", AMD64)])
    base = next(fetch for fetch in fetches if fetch.provides == (Blob.of(b"base"),))
    with case.store.incoming(str(Blob.of(b"base").digest)) as incoming:
        incoming.write(b"ba")
    case.store.put(b"base")
    case.kind.fetch(base, case.sources, Unwatched())
    assert case.registry.requests == []
    assert not case.store.partial


def test_a_pruned_index_that_cannot_be_made_again(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    artifact = replace(case.lock("a/app:1", AMD64), top=Blob.of(b"something else"))
    with pytest.raises(IntegrityError, match="cannot be made") as caught:
        case.fetch_all(artifact)
    assert caught.value.want == str(Digest.sha256(b"something else"))


def test_narrowing(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    case.registry.add_image("b/tool:1", TOOL)
    whole, single = case.lock("a/app:1", AMD64, ARM64), case.lock("b/tool:1")
    assert case.kind.narrow(whole, [S390X], case.sources) is None
    assert case.kind.narrow(single, [AMD64], case.sources) is single
    assert case.kind.narrow(whole, [ARM64, AMD64, S390X], case.sources) is whole
    part = case.kind.narrow(whole, [ARM64], case.sources)
    assert part is not None
    assert part == replace(case.lock("a/app:1", ARM64), created=part.created)
    assert case.store.has(part.top)


def test_narrowing_to_all_there_is_upstream_takes_the_upstream_bytes_again(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    whole = case.lock("a/app:1", AMD64, ARM64, S390X)
    assert whole.top == whole.upstream
    part = case.kind.narrow(whole, [AMD64], case.sources)
    assert part is not None
    assert part.upstream == whole.upstream != part.top


def locked(artifact: ImageArtifact) -> LockedEntry:
    return LockedEntry("images", artifact.key, Digest.sha256(b""), (artifact,))


def test_placing(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    artifact = case.lock("a/app:1", AMD64, ARM64)
    case.fetch_all(artifact)
    placements = case.kind.place([locked(artifact)], [AMD64, ARM64], case.sources)
    by_path = {str(placement.path): placement for placement in placements}
    assert {placement.content for placement in placements if isinstance(placement.content, Blob)} == set(artifact.blobs)
    assert artifact.placed == {place.path: place.content for place in placements if isinstance(place.content, Blob)}
    script = by_path["k8simage/load.sh"]
    assert isinstance(script.content, bytes)
    assert script.content.startswith(b"#!/bin/sh\n")
    assert script.mode == 0o755
    assert {placement.kind for placement in placements} == {"images"}
    assert case.kind.place([], [AMD64], case.sources) == ()


def test_two_images_on_one_site_name_are_refused(case: Case) -> None:
    case.registry.add_image("registry.k8s.io/pause:1", TOOL)
    case.registry.add_image("quay.io/pause:1", {"linux/amd64": [b"another"]})
    one, other = case.lock("registry.k8s.io/pause:1"), case.lock("quay.io/pause:1")
    with pytest.raises(ManifestError) as caught:
        case.kind.place([locked(one), locked(other)], [AMD64], case.sources)
    assert caught.value.id == ErrorId.SITE_NAME_CONFLICT
    (problem,) = caught.value.problems
    assert problem.startswith("library/pause:1: ")


def test_a_fetch_of_another_kind(case: Case) -> None:
    stranger = Fetch("x", (), 0, 0, (), "not ours")
    with pytest.raises(TypeError):
        case.kind.fetch(stranger, case.sources, Unwatched())


def test_a_lock_with_a_manifest_that_the_index_does_not_have(case: Case) -> None:
    case.registry.add_image("a/app:1", APP)
    artifact = case.lock("a/app:1", AMD64, ARM64)
    stranger = replace(artifact.images[0].manifest, blob=Blob.of(b"stranger"))
    edited = replace(artifact, images=(replace(artifact.images[0], manifest=stranger), artifact.images[1]))
    [pruning] = [fetch for fetch in case.kind.fetches([edited]) if edited.top in fetch.provides]
    with pytest.raises(ManifestError, match="no child of the index") as caught:
        case.kind.fetch(pruning, case.sources, Unwatched())
    assert caught.value.id == ErrorId.LOCK_INVALID
    with pytest.raises(ManifestError, match="no child of the index"):
        case.kind.narrow(edited, [AMD64], case.sources)
