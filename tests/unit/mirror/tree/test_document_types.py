"""Manifests and indexes are served as what they are; nothing else that an index says becomes a field of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.model.about import decode_about
from bundler.model.bundle import BundleIndex, IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.image.oci import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from tests.fakes.served_tree import make_index, write_tree
from tests.unit.mirror.bundle_tree import file_at, opened, site_of

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json

PATH = f"k8simage/blobs/sha256/{'0' * 64}"


def served_type(directory: Path, told: Json) -> str:
    listed = IndexedFile(BundlePath(PATH), Blob.of(b""), 0o644, "images", about=decode_about({"media_type": told}))
    index: BundleIndex = make_index([listed])
    with opened(write_tree(index, directory)) as root:
        return file_at(site_of(root), PATH).media_type


@pytest.mark.parametrize("told", [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST])
def test_a_document_has_the_type_that_its_bundle_names(tmp_path: Path, told: str) -> None:
    assert served_type(tmp_path, told) == told


@pytest.mark.parametrize("told", [None, 3, ["a"], "", "text/html", f"{OCI_INDEX}\r\nX: y", OCI_INDEX.upper()])
def test_other_types_are_not_taken_over(tmp_path: Path, told: Json) -> None:
    assert served_type(tmp_path, told) == "application/octet-stream"
