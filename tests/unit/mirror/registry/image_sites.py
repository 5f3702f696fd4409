"""Sites with images: what `layout_placements` would place, as a bundle that is served, with nothing on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.artifact import HeldTo
from bundler.model.bundle import BundleIndex, IndexedFile
from bundler.model.digest import Blob, Digest
from bundler.model.image.artifact import ImageArtifact, PlatformImage
from bundler.model.image.layout import layout_placements
from bundler.model.image.oci import DOCKER_INDEX, DOCKER_MANIFEST, INDEX_TYPES, OCI_INDEX, OCI_MANIFEST, Descriptor
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from mirror.registry.repositories import repository_index
from tests.unit.mirror.sites import loaded, packed_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.registry.repositories import RepositoryIndex
    from mirror.tree.bundle_loading import LoadedBundle
    from mirror.tree.site import Site

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
NOTHING = Digest.sha256(b"")
_MANIFEST_TYPES = {OCI_INDEX: OCI_MANIFEST, DOCKER_INDEX: DOCKER_MANIFEST}


def blob(seed: str) -> Blob:
    """Return a blob that stands for some content."""
    return Blob.of(seed.encode())


def digest(seed: str) -> str:
    """Return its digest as URLs have it."""
    return str(blob(seed).digest)


def image(
    name: str,
    *also: str,
    platforms: Sequence[Platform] = (AMD64, ARM64),
    media_type: str = OCI_INDEX,
    version: str = "",
    layers: Sequence[str] = (),
    pruned: bool = False,
) -> ImageArtifact:
    """Return an image; its blobs are called `NAME[VERSION] top|upstream`, `NAME[VERSION] ARCH manifest|config|layer`.

    An image of a manifest's media type has that manifest as its top document.
    """
    seed = f"{name}{version}"
    child = _MANIFEST_TYPES.get(media_type, media_type)
    images = tuple(
        PlatformImage(
            platform,
            Descriptor(child, blob(f"{seed} {platform.arch} manifest")),
            Descriptor("application/vnd.oci.image.config.v1+json", blob(f"{seed} {platform.arch} config")),
            tuple(
                Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", blob(layer))
                for layer in (f"{seed} {platform.arch} layer", *layers)
            ),
        )
        for platform in platforms
    )
    top = blob(f"{seed} top") if media_type in INDEX_TYPES else images[0].manifest.blob
    return ImageArtifact(
        reference=Reference.parse(name),
        upstream=blob(f"{seed} upstream") if pruned else top,
        top=top,
        media_type=media_type,
        created=None,
        held_to=HeldTo("first-use"),
        also_known_as=tuple(Reference.parse(other) for other in also),
        roles=("cloud", "edge"),
        images=images,
    )


def bundle(*images: ImageArtifact, directory: str = "", platforms: Sequence[Platform] = (AMD64, ARM64)) -> LoadedBundle:
    """Return a bundle with these images; its id is made of its directory's name."""
    placements = layout_placements(images, platforms, {}, kind="images") if images else ()
    listed = tuple(
        IndexedFile(placed.path, placed.blob, 0o644, placed.kind, placed.roles, placed.platforms, placed.about)
        for placed in sorted(placements, key=lambda placed: placed.path.encode())
    )
    index = BundleIndex(directory or "demo", "1", NOTHING, NOTHING, tuple(platforms), listed)
    return loaded(index, directory, Digest.sha256(directory.encode()).hex)


def site(*bundles: LoadedBundle, current: LoadedBundle | None = None) -> Site:
    """Return a site of bundles."""
    return packed_site(*bundles, current=None if current is None else current.directory)


def site_of_images(*images: ImageArtifact) -> Site:
    """Return a site of one bundle with these images."""
    only = bundle(*images)
    return site(only, current=only)


def index_of_images(*images: ImageArtifact, platforms: Sequence[Platform] = (AMD64, ARM64)) -> RepositoryIndex:
    """Return the names of one bundle's images."""
    only = bundle(*images, platforms=platforms)
    return repository_index(site(only, current=only))
