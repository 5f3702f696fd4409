"""Are the configs and layers that a lock pins those of its manifests? Asked once the documents are in the store.

A lock that leaves out a layer would otherwise give a bundle that is complete by its own index, and an image that no
engine can load.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError, ManifestError
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.image.oci import Descriptor, ImageIndex, ImageManifest, parse_document
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.model.digest import Blob
    from bundler.model.image.artifact import ImageArtifact, PlatformImage
    from bundler.store.interface import BlobStore


def require_documents(artifacts: Sequence[ImageArtifact], store: BlobStore) -> None:
    """Raise ManifestError (LOCK_INVALID) with every image whose pins are not what its documents say.

    Raises DamagedBlobError for a document that the store has lost.
    """
    problems = [f"{artifact.key}: {line}" for artifact in artifacts for line in _lines(artifact, store)]
    if problems:
        raise ManifestError(
            ErrorId.LOCK_INVALID,
            tr("the lock pins other parts of images than their manifests have"),
            remedy=tr("Restore the lock from version control, or run `bundler lock --update` for these images."),
            problems=problems,
        )


def _lines(artifact: ImageArtifact, store: BlobStore) -> Iterator[str]:
    if artifact.is_index:
        document = _document(artifact.top, artifact.media_type, store)
        pinned = {image.manifest.blob for image in artifact.images}
        children = {child.blob for child in document.manifests} if isinstance(document, ImageIndex) else set()
        if not pinned <= children:
            yield tr("{digest} is not the index of its manifests", digest=artifact.top.digest)
    for image in artifact.images:
        yield from _image_lines(image, store)


def _image_lines(image: PlatformImage, store: BlobStore) -> Iterator[str]:
    document = _document(image.manifest.blob, image.manifest.media_type, store)
    if not isinstance(document, ImageManifest):
        yield tr("{digest} is no manifest", digest=image.manifest.digest)
        return
    kept = tuple(_plain(layer) for layer in document.layers if not layer.is_foreign)
    skipped = tuple(_plain(layer) for layer in document.layers if layer.is_foreign)
    pinned = (_plain(image.config), tuple(map(_plain, image.layers)), tuple(map(_plain, image.skipped)))
    if pinned != (_plain(document.config), kept, skipped):
        yield tr(
            "{platform} has another config or other layers than {digest}",
            platform=image.platform,
            digest=image.manifest.digest,
        )


def _plain(descriptor: Descriptor) -> Descriptor:
    return Descriptor(descriptor.media_type, descriptor.blob)


def _document(blob: Blob, media_type: str, store: BlobStore) -> ImageManifest | ImageIndex | None:
    got = tr("no file")
    try:
        if store.has(blob):
            return parse_document(store.read(blob), media_type)
    except IntegrityError as error:
        got = error.got
    except ValueError:
        return None
    raise DamagedBlobError.of(blob, tr("the document was damaged on the disk"), where=Path(str(blob.digest)), got=got)
