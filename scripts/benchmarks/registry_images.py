"""An unpacked bundle of images to be pulled, each with one large layer; the same bytes on every run."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.bundle_files import bundle_files
from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob, Digest
from bundler.model.image.artifact import ImageArtifact, PlatformImage
from bundler.model.image.blob_paths import IMAGE_DIRECTORY, blob_path
from bundler.model.image.layout import layout_placements
from bundler.model.image.oci import OCI_MANIFEST, Descriptor
from bundler.model.manifest import ROLES
from bundler.model.platform import Platform
from bundler.model.reference import Reference

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json

IMAGES = 4
TAG = "1"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
SOURCE_DATE = 1_600_000_000
_AMD64 = Platform("linux", "amd64")


@dataclass(frozen=True, slots=True)
class ServedImage:
    """One image: its full name, and what a registry has under which path below its root."""

    name: str
    repository: str
    manifest: Digest
    layer: Digest

    @property
    def blob_path(self) -> str:
        """The layer's."""
        return f"v2/{self.repository}/blobs/{self.layer}"

    @property
    def manifest_path(self) -> str:
        """The manifest's, by tag."""
        return f"v2/{self.repository}/manifests/{TAG}"


def make_images(root: Path, layer_bytes: int) -> tuple[ServedImage, ...]:
    """Write the bundle, readable by everybody: mirror workers have no rights."""
    root.mkdir(mode=0o755)
    made = [_image(root, number, layer_bytes) for number in range(IMAGES)]
    placed = layout_placements([artifact for artifact, _ in made], [_AMD64], {}, kind="images")
    bundle = bundle_files(
        list(placed),
        name="bench",
        release="",
        platforms=[_AMD64],
        manifest=Digest.sha256(b""),
        manifest_text=b"version: 1\nname: bench\n",
        lock_text=(b"{}\n",),
    )
    for file in bundle.files:
        if isinstance(file.content, bytes):
            path = root / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
    return tuple(image for _, image in made)


def layout(root: Path) -> Path:
    """Return the bundle's OCI image layout."""
    return root / IMAGE_DIRECTORY


def _image(root: Path, number: int, layer_bytes: int) -> tuple[ImageArtifact, ServedImage]:
    layer = _write(root, random.Random(number).randbytes(layer_bytes))  # noqa: S311 - the same bytes on every run, no secret
    config = _write_json(
        root,
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [str(layer.digest)]}},
    )
    manifest = _write_json(
        root,
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": CONFIG, "digest": str(config.digest), "size": config.size},
            "layers": [{"mediaType": LAYER, "digest": str(layer.digest), "size": layer.size}],
        },
    )
    repository = f"bench/image{number}"
    reference = Reference.parse(f"docker.io/{repository}:{TAG}")
    image = PlatformImage(
        _AMD64, Descriptor(OCI_MANIFEST, manifest), Descriptor(CONFIG, config), (Descriptor(LAYER, layer),)
    )
    artifact = ImageArtifact(
        reference, manifest, manifest, OCI_MANIFEST, SOURCE_DATE, HeldTo("first-use"), (), ROLES, (image,)
    )
    return artifact, ServedImage(str(reference), repository, manifest.digest, layer.digest)


def _write_json(root: Path, value: Json) -> Blob:
    return _write(root, json.dumps(value).encode())


def _write(root: Path, data: bytes) -> Blob:
    blob = Blob.of(data)
    path = root / blob_path(blob.digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return blob
