"""images.tsv read back (`bundler.model.image.layout` writes it), and which of its images are meant.

Owns the reading of a line, the choosing by name and platform, and the documents that make an archive of one image's
blobs; refuses to read blobs. load.sh of the bundle follows the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.image.blob_paths import IMAGE_DIRECTORY
from bundler.model.image.site_name import is_named_like
from bundler.model.json_value import Json, dump_canonical
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TABLE_PATH = BundlePath(f"{IMAGE_DIRECTORY}/images.tsv")
KNOWN_FIELDS = 9
NO_LAYERS = "-"
# what a kernel of 32-bit arm can run, by the beginning of what uname calls the machine
_ARM_VARIANTS = {"armv5": ("v5",), "armv6": ("v6", "v5")}
_ANY_ARM = ("v7", "v6", "v5")


@dataclass(frozen=True, slots=True)
class TabledImage:
    """One image for one platform; the fields are the columns that `images_table` describes.

    Arguments:
        image_id: digest of the config.
        manifest: the platform's manifest.
        digest: digest of the top document.
        size: bytes of manifest, config and layers, each blob once.
        names: at least one.
        layers: from the base upwards; one may occur twice.
    """

    platform: Platform
    image_id: Digest
    manifest: Blob
    manifest_type: str
    digest: Digest
    size: int
    names: tuple[Reference, ...]
    layers: tuple[Digest, ...]

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError(tr("an image has at least one name"))

    @property
    def title(self) -> str:
        """The name to show where there is room for one."""
        return str(self.names[0])

    @property
    def blobs(self) -> tuple[Digest, ...]:
        """Manifest, config and layers, each once."""
        return tuple(dict.fromkeys((self.manifest.digest, self.image_id, *self.layers)))

    @property
    def ids(self) -> frozenset[str]:
        """What engines call the image: by its config, or by a manifest where they keep images in containerd."""
        return frozenset(map(str, (self.image_id, self.manifest.digest, self.digest)))


def read_images_table(data: bytes) -> tuple[TabledImage, ...]:
    """Read images.tsv, further fields of a later version ignored; ValueError names the line that is none."""
    images = []
    for number, line in enumerate(data.decode().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        try:
            images.append(_image(line.split("\t")))
        except ValueError as error:
            raise ValueError(tr("line {number}: {error}", number=number, error=error)) from error
    return tuple(images)


def _image(fields: Sequence[str]) -> TabledImage:
    if len(fields) < KNOWN_FIELDS:
        raise ValueError(tr("{count} fields instead of {known_fields}", count=len(fields), known_fields=KNOWN_FIELDS))
    platform, image_id, manifest, manifest_size, manifest_type, digest, size, names, layers = fields[:KNOWN_FIELDS]
    return TabledImage(
        platform=Platform.parse(platform),
        image_id=Digest.parse(image_id),
        manifest=Blob(Digest.parse(manifest), int(manifest_size)),
        manifest_type=manifest_type,
        digest=Digest.parse(digest),
        size=int(size),
        names=tuple(Reference.parse(name) for name in names.split()),
        layers=() if layers == NO_LAYERS else tuple(Digest.parse(layer) for layer in layers.split()),
    )


def named_like(image: TabledImage, globs: Sequence[str]) -> bool:
    """Tell whether one of its names matches one of the globs (`is_named_like`); no globs: every image."""
    return not globs or any(is_named_like(name, globs) for name in image.names)


def engine_platforms(os: str, arch: str, machine: str) -> tuple[Platform, ...]:
    """Return what a host can run, the best first; ValueError when that is no platform.

    Arguments:
        os, arch: as the engine tells, which knows no variants.
        machine: what uname calls the machine; only that of 32-bit arm matters.
    """
    if arch != "arm":
        return (Platform(os, arch),)
    variants = next((those for start, those in _ARM_VARIANTS.items() if machine.startswith(start)), _ANY_ARM)
    return tuple(Platform(os, arch, variant) for variant in variants)


def for_platforms(images: Iterable[TabledImage], platforms: Sequence[Platform]) -> tuple[TabledImage, ...]:
    """Return of the images with the same names the one for the best of the platforms, or none, in their order."""
    chosen: dict[tuple[Reference, ...], tuple[int, TabledImage]] = {}
    for image in images:
        ranks = [rank for rank, platform in enumerate(platforms) if image.platform.matches(platform)]
        if ranks and ranks[0] < chosen.get(image.names, (len(platforms), image))[0]:
            chosen[image.names] = (ranks[0], image)
    return tuple(image for _, image in chosen.values())


def archive_documents(image: TabledImage) -> dict[str, bytes]:
    """Return the files beside `blobs/` in an archive of one image: name -> content.

    `manifest.json` makes it a docker-archive; engines that keep images in containerd read `index.json` instead, and
    keep the manifest's digest by it.
    """
    descriptors: list[Json] = [
        {
            "mediaType": image.manifest_type,
            "digest": str(image.manifest.digest),
            "size": image.manifest.size,
            "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name},
        }
        for name in map(str, image.names)
    ]
    archive: list[Json] = [
        {
            "Config": blob_member(image.image_id),
            "RepoTags": [str(name) for name in image.names if name.tag],
            "Layers": [blob_member(layer) for layer in image.layers],
        }
    ]
    return {
        "oci-layout": dump_canonical({"imageLayoutVersion": "1.0.0"}),
        "index.json": dump_canonical({"schemaVersion": 2, "manifests": descriptors}),
        "manifest.json": dump_canonical(archive),
    }


def blob_member(digest: Digest) -> str:
    """Return what a blob is called within an image's archive."""
    return f"blobs/{digest.algorithm}/{digest.hex}"
