"""The images of a served bundle, each blob with the file that it is given out from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.image.bundled import DOCUMENT_TYPES, bundle_images, media_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.model.bundle import IndexedFile
    from bundler.model.image.bundled import BundleImage
    from bundler.model.image.reference import Reference
    from mirror.tree.served import File
    from mirror.tree.served_bundle import ServedBundle


class Held(NamedTuple):
    """A blob of a bundle.

    Arguments:
        digest: `sha256:HEX`, as URLs have it.
        media_type: what its images call it.
    """

    bundle: ServedBundle
    path: str
    digest: str
    media_type: str

    @property
    def is_document(self) -> bool:
        """Whether it is an index or a manifest, and no layer or config."""
        return self.media_type in DOCUMENT_TYPES

    @property
    def file(self) -> File | None:
        """The file as it is known now; None for one that the bundle does not serve."""
        return self.bundle.files.get(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One image of a bundle.

    Arguments:
        names: what it is called, source hosts in front; each with a tag, or with a digest alone.
        top: its index, or the manifest of an image that has none: what the lock's digest is of.
        primary: the manifest for whoever takes no index: that of the first of the bundle's platforms that it has.
        held: every blob that belongs to it by digest, the upstream's own index included.
    """

    names: tuple[Reference, ...]
    top: Held
    primary: Held | None
    held: Mapping[str, Held]


def images_of(bundle: ServedBundle) -> Iterator[Image]:
    """Yield the images of a bundle, in the order of their digests; what cannot be understood is left out."""
    for image in bundle_images(bundle.index.files):
        yield _image(bundle, image)


def _image(bundle: ServedBundle, image: BundleImage) -> Image:
    primary = image.manifest_for(bundle.index.platforms)
    held = [_held(bundle, file) for file in image.files]
    return Image(
        names=image.names,
        top=_held(bundle, image.top),
        primary=None if primary is None else _held(bundle, primary),
        held={one.digest: one for one in held},
    )


def _held(bundle: ServedBundle, file: IndexedFile) -> Held:
    return Held(bundle, str(file.path), str(file.blob.digest), media_type(file))
