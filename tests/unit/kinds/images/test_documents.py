"""Pins that are not what the documents of an image say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError
from bundler.kinds.images.documents import require_documents
from bundler.kinds.images.kind import ImagesKind
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.digest import Blob
from bundler.model.image.oci import Descriptor
from tests.unit.kinds.images.test_fetching import AMD64, APP, ARM64, S390X, Case, locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundler.model.image.artifact import ImageArtifact, PlatformImage

OTHER = Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Blob.of(b"other"))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = Case(tmp_path)
    made.registry.add_image("a/app:1", APP)
    return made


def first(artifact: ImageArtifact, edit: Callable[[PlatformImage], PlatformImage]) -> ImageArtifact:
    """Return an image whose first platform is edited."""
    return replace(artifact, images=(edit(artifact.images[0]), *artifact.images[1:]))


EDITS: dict[str, Callable[[ImageArtifact], ImageArtifact]] = {
    "a layer less": lambda pinned: first(pinned, lambda image: replace(image, layers=image.layers[1:])),
    "a layer more": lambda pinned: first(pinned, lambda image: replace(image, layers=(*image.layers, OTHER))),
    "layers turned round": lambda pinned: first(pinned, lambda image: replace(image, layers=image.layers[::-1])),
    "a foreign layer": lambda pinned: first(
        pinned, lambda image: replace(image, layers=image.layers[1:], skipped=image.layers[:1])
    ),
    "another config": lambda pinned: first(pinned, lambda image: replace(image, config=OTHER)),
    "one manifest for two": lambda pinned: first(pinned, lambda image: replace(image, config=pinned.images[1].config)),
    "an index of others": lambda pinned: replace(pinned, top=pinned.images[0].manifest.blob),
}


@pytest.mark.parametrize("name", EDITS)
def test_other_parts_than_the_manifests_have_are_refused(case: Case, name: str) -> None:
    artifact = case.lock("a/app:1", AMD64, ARM64)
    case.fetch_all(artifact)
    with pytest.raises(ManifestError) as caught:
        ImagesKind().place([locked(EDITS[name](artifact))], [AMD64], case.sources)
    assert caught.value.id is ErrorId.LOCK_INVALID
    assert "docker.io/a/app:1: " in caught.value.text()


def test_what_the_documents_say_is_good(case: Case) -> None:
    artifacts = [case.lock("a/app:1", AMD64, ARM64, S390X), case.lock("a/app:1", ARM64)]
    case.fetch_all(*artifacts)
    require_documents(artifacts, case.store)


def test_a_document_that_the_store_lost_is_fetched_again_by_who_assembles(case: Case) -> None:
    artifact = case.lock("a/app:1")
    case.fetch_all(artifact)
    lost = artifact.images[0].manifest.blob
    case.store.blobs[lost.digest] = b"x" * lost.size
    for _ in range(2):
        with pytest.raises(DamagedBlobError) as caught:
            require_documents([artifact], case.store)
        assert caught.value.blob == lost
