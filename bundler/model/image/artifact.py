"""An image as the lock pins it (docs/design.md, 4): documents, configs and layers per platform, and its names."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.artifact import HeldTo
from bundler.model.digest import Blob, Digest
from bundler.model.image.blob_paths import blob_path
from bundler.model.image.oci import INDEX_TYPES, Descriptor
from bundler.model.image.site_name import site_name
from bundler.model.json_value import want_count, want_text
from bundler.model.reference import Reference
from bundler.model.rpm.version_order import compare_versions
from bundler.model.shared_values import shared_platform, shared_roles
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bundler.model.bundle_path import BundlePath
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform

_VERSION_TAG = re.compile(r"v?[0-9]+(?:\.[0-9]|$)")


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """One child manifest and what hangs on it.

    Arguments:
        platform: as the entry of the manifest spells it.
        manifest: its media type, digest and size.
        config: the image config, whose digest is the image id of a Docker engine.
        layers: from the base upwards; one may occur several times.
        skipped: foreign layers, which no registry hands out and no bundle holds.
    """

    platform: Platform
    manifest: Descriptor
    config: Descriptor
    layers: tuple[Descriptor, ...]
    skipped: tuple[Descriptor, ...] = ()

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Manifest, config and layers, each once."""
        return tuple(dict.fromkeys((self.manifest.blob, self.config.blob, *(layer.blob for layer in self.layers))))

    def encode(self) -> Json:
        """Return its JSON object in the lock."""
        return {
            "platform": str(self.platform),
            "manifest": _encode_descriptor(self.manifest),
            "config": _encode_descriptor(self.config),
            "layers": [_encode_descriptor(layer) for layer in self.layers],
            **({"skipped": [_encode_descriptor(layer) for layer in self.skipped]} if self.skipped else {}),
        }

    @classmethod
    def decode(cls, value: Any) -> PlatformImage:
        """Read what `encode` wrote; ValueError, KeyError or TypeError when it is something else."""
        return cls(
            platform=shared_platform(value["platform"]),
            manifest=_decode_descriptor(value["manifest"]),
            config=_decode_descriptor(value["config"]),
            layers=tuple(_decode_descriptor(layer) for layer in value["layers"]),
            skipped=tuple(_decode_descriptor(layer) for layer in value.get("skipped", ())),
        )


@dataclass(frozen=True, slots=True)
class ImageArtifact:
    """A pinned image.

    Arguments:
        reference: what was asked for, expanded.
        upstream: the document that the upstream gave: an index, or the manifest of a single-platform image.
        top: the document that stands for the image in the bundle; `upstream` itself unless that had to be pruned.
        media_type: of both.
        created: date of the first platform's config in seconds since the epoch, or None.
        held_to: what vouched for `upstream`.
        also_known_as: further names on the site, each with a tag.
        roles: who needs it.
        images: one per platform, in the order of the entry.
    """

    reference: Reference
    upstream: Blob
    top: Blob
    media_type: str
    created: int | None
    held_to: HeldTo
    also_known_as: tuple[Reference, ...]
    roles: tuple[str, ...]
    images: tuple[PlatformImage, ...]

    @property
    def key(self) -> str:
        """The reference."""
        return str(self.reference)

    @property
    def version(self) -> str:
        """The lock's digest."""
        return str(self.top.digest)

    @property
    def series(self) -> str:
        """The repository that it was asked from."""
        return f"{self.reference.host}/{self.reference.path}"

    @property
    def label(self) -> str:
        """Its tag, or the digest that it was asked by."""
        return self.reference.tag or str(self.reference.digest or self.top.digest)

    @property
    def label_order(self) -> Callable[[str, str], int]:
        """As tags that are versions are ordered; others are different and no more."""
        return compare_tags

    @property
    def size(self) -> int:
        """Bytes of all its blobs, each counted once."""
        return sum(blob.size for blob in self.blobs)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms it is held for."""
        return tuple(image.platform for image in self.images)

    @property
    def is_index(self) -> bool:
        """Whether its top document is an index."""
        return self.media_type in INDEX_TYPES

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Every blob of the bundle that belongs to it, the upstream index included, each once."""
        return tuple(dict.fromkeys((self.upstream, self.top, *(blob for image in self.images for blob in image.blobs))))

    @property
    def placed(self) -> Mapping[BundlePath, Blob]:
        """Its blobs, each where a bundle keeps it."""
        return {blob_path(blob.digest): blob for blob in self.blobs}

    @property
    def parts(self) -> Mapping[str, Blob]:
        """The layers, by platform and place."""
        return {
            f"{image.platform} {number}": layer.blob
            for image in self.images
            for number, layer in enumerate(image.layers)
        }

    @property
    def names(self) -> tuple[Reference, ...]:
        """What it is called on the site, source hosts still in front: names with a tag, or one with a digest alone."""
        asked = self.reference
        own = Reference(asked.host, asked.path, asked.tag) if asked.tag else asked
        return tuple(dict.fromkeys((own, *self.also_known_as)))

    def encode(self) -> Json:
        """Return its JSON object in the lock."""
        return {
            "reference": str(self.reference),
            "upstream_digest": str(self.upstream.digest),
            "upstream_size": self.upstream.size,
            "digest": str(self.top.digest),
            "size": self.top.size,
            "media_type": self.media_type,
            "created": self.created,
            "held_to": self.held_to.encode(),
            "as": [str(name) for name in self.also_known_as],
            "roles": list(self.roles),
            "manifests": [image.encode() for image in self.images],
        }

    @classmethod
    def decode(cls, value: Any) -> ImageArtifact:
        """Read what `encode` wrote; ValueError, KeyError or TypeError when it is something else."""
        created = value["created"]
        artifact = cls(
            reference=Reference.parse(want_text(value["reference"])),
            upstream=Blob(Digest.parse(want_text(value["upstream_digest"])), want_count(value["upstream_size"])),
            top=Blob.decode(value),
            media_type=want_text(value["media_type"]),
            created=None if created is None else want_count(created),
            held_to=HeldTo.decode(value["held_to"]),
            also_known_as=tuple(Reference.parse(want_text(name)) for name in value["as"]),
            roles=shared_roles(tuple(value["roles"])),
            images=tuple(PlatformImage.decode(image) for image in value["manifests"]),
        )
        if not artifact.images:
            raise ValueError(tr("{key} has no manifest", key=artifact.key))
        return artifact


def compare_tags(one: str, other: str) -> int:
    """Return which of two tags is the older version, as `compare_versions` does; 0 where one of them is no version."""
    if not (_VERSION_TAG.match(one) and _VERSION_TAG.match(other)):
        return 0
    return compare_versions(one.removeprefix("v"), other.removeprefix("v"))


def site_name_conflicts(artifacts: Iterable[ImageArtifact]) -> tuple[str, ...]:
    """Return a line for every site name (docs/design.md, 9) that images of different digests claim."""
    claims: dict[str, list[tuple[Reference, ImageArtifact]]] = {}
    for artifact in artifacts:
        for name in artifact.names:
            claims.setdefault(site_name(name), []).append((name, artifact))
    return tuple(
        f"{wanted}: " + tr(" and ").join(sorted(f"{name} ({artifact.top.digest})" for name, artifact in claimants))
        for wanted, claimants in sorted(claims.items())
        if len({artifact.top for _, artifact in claimants}) > 1
    )


def _encode_descriptor(descriptor: Descriptor) -> Json:
    return {"media_type": descriptor.media_type, **descriptor.blob.encode()}


def _decode_descriptor(value: Any) -> Descriptor:
    return Descriptor(sys.intern(want_text(value["media_type"])), Blob.decode(value))
