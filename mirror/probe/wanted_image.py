"""An image that a registry has to give: its names, and the document behind them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.image.blob_paths import IMAGE_DIRECTORY
from bundler.model.image.oci import INDEX_TYPES
from bundler.model.image.reference import Reference
from bundler.model.image.site_name import site_repository

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.digest import Blob
    from bundler.model.image.artifact import ImageArtifact

_BLOBS = f"{IMAGE_DIRECTORY}/blobs/"


@dataclass(frozen=True, slots=True)
class WantedImage:
    """One image.

    Arguments:
        names: on the site, source hosts in front; each with a tag, or with a digest alone.
        top: the document that the names lead to, an index or a manifest.
        media_type: of it.
        upstream: the upstream's own documents, known by their digests alone, where the top was pruned.
    """

    names: tuple[Reference, ...]
    top: Blob
    media_type: str
    upstream: tuple[Blob, ...] = ()

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Repository and reference of every name, as URLs have them."""
        return tuple((site_repository(name), name.tag or str(name.digest)) for name in self.names)

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repositories that have it, each once."""
        return tuple(dict.fromkeys(repository for repository, _ in self.places))


def locked_image(artifact: ImageArtifact) -> WantedImage:
    """Return an image as a lock pins it."""
    upstream = () if artifact.upstream == artifact.top else (artifact.upstream,)
    return WantedImage(artifact.names, artifact.top, artifact.media_type, upstream)


def listed_images(index: BundleIndex) -> tuple[WantedImage, ...]:
    """Return the images of a bundle by its index; whose names nobody could ask for are left out."""
    blobs = [file for file in index.files if file.path.startswith(_BLOBS)]
    tops = [file for file in blobs if _is_top(file)]
    # upstream's own, and views in OCI's terms of images in Docker's, which no registry has
    others = [file for file in blobs if not _is_top(file) and file.about.get("media_type") in INDEX_TYPES]
    return tuple(image for file in tops if (image := _listed(file, others)).names)


def _is_top(file: IndexedFile) -> bool:
    # the document of an image says its own digest; others only say which images they belong to
    return file.about.get("digest") == str(file.blob.digest)


def _listed(file: IndexedFile, others: Sequence[IndexedFile]) -> WantedImage:
    names = [name for text in _texts(file, "names") if (name := _reference(text)) is not None]
    media_type = str(file.about.get("media_type", ""))
    images = set(_texts(file, "images"))
    upstream = (
        other.blob
        for other in others
        if other.about.get("media_type") == media_type and images & set(_texts(other, "images"))
    )
    return WantedImage(tuple(names), file.blob, media_type, tuple(upstream))


def _texts(file: IndexedFile, key: str) -> list[str]:
    told = file.about.get(key)
    return [text for text in told if isinstance(text, str)] if isinstance(told, list) else []


def _reference(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except ValueError:
        return None
