"""Images for plans, without bytes: `image("quay.io/a/b:1")`, its digest made of its names unless another is given."""

from __future__ import annotations

from bundler.model.about import ImageAbout, TopAbout
from bundler.model.bundle import IndexedFile
from bundler.model.digest import Blob
from bundler.model.image.blob_paths import blob_path
from bundler.model.image.bundled import BundleImage
from bundler.model.image.oci import OCI_INDEX, OCI_MANIFEST
from bundler.model.image.reference import Reference
from bundler.model.platform import Platform

# path -> bytes of everything that was made
CONTENT: dict[str, bytes] = {}
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def indexed(content: str, media_type: str, *platforms: str) -> IndexedFile:
    blob = Blob.of(content.encode())
    CONTENT[blob_path(blob.digest)] = content.encode()
    told = tuple(map(Platform.parse, platforms))
    return IndexedFile(blob_path(blob.digest), blob, 0o644, "images", (), told, ImageAbout(media_type, ()))


def image(*names: str, content: str = "", platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")) -> BundleImage:
    content = content or " ".join(names)
    manifests = [indexed(f"{content} manifest {platform}", OCI_MANIFEST, platform) for platform in platforms]
    layers = [indexed(f"{content} layer {platform}", LAYER, platform) for platform in platforms]
    top = manifests[0] if len(platforms) == 1 else indexed(f"{content} index", OCI_INDEX, *platforms)
    upstream = [] if len(platforms) == 1 else [indexed(f"{content} upstream index", OCI_INDEX, *platforms)]
    files = {file.path: file for file in (top, *manifests, *layers, *upstream)}
    about = TopAbout(tuple(map(Reference.parse, names)), tuple(map(Platform.parse, platforms)), top.blob.digest, None)
    return BundleImage(about, top, tuple(files.values()))
