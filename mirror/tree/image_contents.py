"""What an image of a bundle is made of, read in its own documents: manifests and configs, a few KiB each.

Reads the disk: call it from a thread. Documents that are absent, changed or no documents are counted and passed over.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.digest import Digest
from bundler.model.image.blob_paths import blob_path
from bundler.model.image.oci import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, ImageIndex, parse_config, parse_document
from bundler.translation import tr
from mirror.tree.opening import NotTheCheckedFileError, open_checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.image.oci import Descriptor, ImageManifest
    from mirror.tree.served_bundle import ServedBundle

# no image is for more machines
MAX_PLATFORMS = 64


class ImageLayer(NamedTuple):
    """One layer as it is stored: compressed in most images."""

    digest: str
    size: int
    media_type: str


class PlatformContents(NamedTuple):
    """An image for one platform.

    Arguments:
        platform: as the index or the config calls it, "" where neither does.
        digest: of its manifest.
        created_s: in seconds since the epoch, 0 where it does not say.
        layers: from the base upwards.
    """

    platform: str
    digest: str
    created_s: int
    layers: tuple[ImageLayer, ...]

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(layer.size for layer in self.layers)


class ImageContents(NamedTuple):
    """A whole image: its platforms in its own order, and how many of them could not be read."""

    platforms: tuple[PlatformContents, ...]
    unread: int = 0


def image_contents(bundle: ServedBundle, hexadecimal: str) -> ImageContents:
    """Return what the image of a bundle is made of whose top document has this SHA-256."""
    try:
        top = _document(bundle, Digest("sha256", hexadecimal))
    except (ValueError, OSError, NotTheCheckedFileError):
        return ImageContents((), 1)
    if not isinstance(top, ImageIndex):
        return _read(bundle, [(hexadecimal, "")])
    # an index that was pruned lists what is here; that of a part may not
    here = [child for child in top.manifests if _has(bundle, child.digest)][:MAX_PLATFORMS]
    return _read(bundle, [(child.digest.hex, _platform_name(child)) for child in here])


def _read(bundle: ServedBundle, manifests: Sequence[tuple[str, str]]) -> ImageContents:
    found: list[PlatformContents] = []
    for hexadecimal, platform in manifests:
        try:
            found.append(_platform(bundle, Digest("sha256", hexadecimal), platform))
        except (ValueError, OSError, NotTheCheckedFileError):
            continue
    return ImageContents(tuple(found), len(manifests) - len(found))


def _platform(bundle: ServedBundle, digest: Digest, platform: str) -> PlatformContents:
    manifest = _document(bundle, digest)
    if isinstance(manifest, ImageIndex):
        raise ValueError(tr("an index in an index of a bundle"))
    config = parse_config(_bytes(bundle, manifest.config.digest, MAX_CONFIG_BYTES))
    layers = tuple(ImageLayer(str(layer.digest), layer.size, layer.media_type) for layer in manifest.layers)
    name = platform or (str(config.platform) if config.platform else "")
    return PlatformContents(name, str(digest), config.created or 0, layers)


def _platform_name(child: Descriptor) -> str:
    return "" if child.platform is None else str(child.platform)


def _document(bundle: ServedBundle, digest: Digest) -> ImageManifest | ImageIndex:
    return parse_document(_bytes(bundle, digest, MAX_MANIFEST_BYTES), "")


def _has(bundle: ServedBundle, digest: Digest) -> bool:
    return digest.algorithm == "sha256" and bundle.number_of(str(blob_path(digest))) is not None


def _bytes(bundle: ServedBundle, digest: Digest, max_bytes: int) -> bytes:
    """Read a document. Raises NotTheCheckedFileError, OSError, and ValueError for what is none of the bundle's."""
    number = bundle.number_of(str(blob_path(digest))) if digest.algorithm == "sha256" else None
    if number is None:
        raise ValueError(tr("{digest} is not in the bundle", digest=digest))
    file = bundle.file(number)
    if file.size > max_bytes:
        raise ValueError(tr("{digest} is too large for a document", digest=digest))
    with os.fdopen(open_checked(file), "rb") as stream:
        return stream.read(max_bytes)
