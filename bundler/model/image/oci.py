"""Image manifests, indexes and configs, read from their bytes: OCI image spec 1.1 and Docker's manifest v2 schema 2.

Strict where bytes are trusted later (digests, sizes, one meaning per document), lenient about fields that it does not
know. Refuses to fetch anything, and schema 1, which pins no content of its own. All failures are ValueErrors.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bundler.model.digest import Blob, Digest
from bundler.model.json_value import load_strict
from bundler.model.platform import Platform
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.json_value import Json

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})
# for an Accept field
ACCEPTED_TYPES = (OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST)
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
_SCHEMA_1_TYPES = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
# layers that their owners do not allow to be handed on (image spec, layer.md, "Non-Distributable Layers")
_FOREIGN_PREFIXES = (
    "application/vnd.docker.image.rootfs.foreign.diff.",
    "application/vnd.oci.image.layer.nondistributable.",
)
# what a registry may refuse to hold is never larger (distribution spec 1.1, "Pushing Manifests"); configs likewise
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_CONFIG_BYTES = 4 * 1024 * 1024
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)
# buildkit's mark for attestations, children that are no image
_ATTESTATION = Platform("unknown", "unknown")


class SchemaOneError(ValueError):
    """The document is a Docker image manifest v2 schema 1."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content (image spec, descriptor.md). `platform` is None where it has none that we can express."""

    media_type: str
    blob: Blob
    platform: Platform | None = None

    @property
    def digest(self) -> Digest:
        """SHA-256 of what it points to."""
        return self.blob.digest

    @property
    def size(self) -> int:
        """Bytes of what it points to."""
        return self.blob.size

    @property
    def is_foreign(self) -> bool:
        """Whether it is a layer that registries do not hold."""
        return self.media_type.startswith(_FOREIGN_PREFIXES)

    @property
    def is_index(self) -> bool:
        """Whether it is an index, within another one."""
        return self.media_type in INDEX_TYPES

    @property
    def is_zstd(self) -> bool:
        """Whether it is a layer compressed with zstd."""
        return self.media_type.endswith("+zstd")

    @property
    def is_attestation(self) -> bool:
        """Whether it is a statement about a sibling and not an image."""
        return self.platform == _ATTESTATION


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """An image for one platform; `layers` from the base upwards."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """An image for several platforms (Docker: manifest list), children in the upstream's order."""

    media_type: str
    manifests: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What we read of an image config.

    Arguments:
        platform: None where it names none that we can express.
        created: in seconds since the epoch; None when absent, zero or garbled.
        os, arch: its own words, "" where it has none.
    """

    platform: Platform | None
    created: int | None
    os: str = ""
    arch: str = ""

    def may_be_for(self, wanted: Platform) -> bool:
        """Tell whether a config without a platform does at least not contradict one."""
        os_fits = self.os.lower() in ("", wanted.os)
        return self.platform is None and os_fits and self.arch.lower() in ("", wanted.arch)


def parse_document(data: bytes, media_type: str) -> ImageManifest | ImageIndex:
    """Read a manifest or an index.

    Arguments:
        data: its bytes, at most MAX_MANIFEST_BYTES.
        media_type: what the registry called it; the document's own word goes first, its shape decides last.

    Raises SchemaOneError, and ValueError for anything else that is not one of the two. A document that can be read as
    both is refused (CVE-2021-41190).
    """
    value = _load(data, MAX_MANIFEST_BYTES)
    declared = value.get("mediaType") or media_type.partition(";")[0].strip()
    if not isinstance(declared, str):
        raise ValueError(tr("its mediaType is not a string"))
    if declared in _SCHEMA_1_TYPES or value.get("schemaVersion") == 1:
        raise SchemaOneError(tr("it is a Docker schema 1 manifest, a format withdrawn in 2019"))
    is_index, is_manifest = "manifests" in value, "config" in value or "layers" in value
    if is_index == is_manifest:
        raise ValueError(
            tr("it is neither an image manifest nor an index") + (tr(", but both at once") if is_index else "")
        )
    if declared in (MANIFEST_TYPES if is_index else INDEX_TYPES):
        raise ValueError(tr("it is called {declared} but is not of that shape", declared=declared))
    if is_index:
        kind = declared if declared in INDEX_TYPES else OCI_INDEX
        return ImageIndex(kind, tuple(_descriptor(child) for child in _list(value["manifests"], "manifests")))
    kind = declared if declared in MANIFEST_TYPES else OCI_MANIFEST
    layers = tuple(_descriptor(layer) for layer in _list(value.get("layers"), "layers"))
    return ImageManifest(kind, _descriptor(value.get("config")), layers)


def parse_config(data: bytes) -> ImageConfig:
    """Read an image config (image spec, config.md); ValueError for that of something that is no container image.

    What names neither a platform nor a root file system is a chart, a signature or another artifact.
    """
    value = _load(data, MAX_CONFIG_BYTES)
    platform = _platform(value)
    if platform is None and not isinstance(value.get("rootfs"), dict):
        raise ValueError(tr("its config names no operating system and architecture, and no root file system"))
    os, arch = (word if isinstance(word := value.get(key), str) else "" for key in ("os", "architecture"))
    return ImageConfig(platform, _seconds(value.get("created")), os, arch)


def select(children: Sequence[Descriptor], wanted: Sequence[Platform]) -> tuple[Descriptor | None, ...]:
    """Return, for each wanted platform, the first child that is for it, or None. Variants never stand in for others."""
    return tuple(
        next((child for child in children if child.platform is not None and child.platform.matches(platform)), None)
        for platform in wanted
    )


def prune_index(data: bytes, keep: Sequence[Digest], nested: Mapping[Digest, bytes] | None = None) -> bytes:
    """Return an index that lists only some children; those of an index within it stand in that one's place.

    The bytes are part of the bundle format: a registry, a lock and a bundle know the result by its digest. When every
    child is kept they are the upstream's own. Otherwise they are the upstream's JSON with the other children taken out
    of `manifests` and written anew: members in the upstream's order, no white space, no final newline, every character
    outside printable ASCII as a lower-case \\u escape (surrogate pairs beyond U+FFFF), integers in decimal.

    Arguments:
        data: the upstream index.
        keep: digests of the children that stay; the upstream's order counts, a child listed twice stays twice.
        nested: the indexes within it from which some are kept; a child of theirs without a platform gets that of the
            index, for Docker before 23 and skopeo look into no index within another.

    Raises ValueError when a digest is no child's.
    """
    value = _load(data, MAX_MANIFEST_BYTES)
    children = _list(value.get("manifests"), "manifests")
    left = _kept(children, keep, nested or {})
    if absent := set(keep) - {_descriptor(child).digest for child in left}:
        raise ValueError(tr("{absent}: no child of the index", absent=", ".join(sorted(map(str, absent)))))
    if left == children:
        return data
    try:
        return json.dumps({**value, "manifests": left}, separators=(",", ":"), ensure_ascii=True).encode()
    except RecursionError:
        raise ValueError(tr("it is nested too deep")) from None


def _kept(children: Sequence[Any], keep: Sequence[Digest], nested: Mapping[Digest, bytes]) -> list[Any]:
    left: list[Any] = []
    for child in children:
        found = _descriptor(child)
        if found.digest in keep:
            left.append(child)
        elif (data := nested.get(found.digest)) is not None:
            own = _list(_load(data, MAX_MANIFEST_BYTES).get("manifests"), "manifests")
            inherited = {"platform": child["platform"]} if found.platform else {}
            left += [
                inner if _descriptor(inner).platform else {**inner, **inherited} for inner in _kept(own, keep, nested)
            ]
    return left


def _load(data: bytes, max_bytes: int) -> dict[str, Any]:
    if len(data) > max_bytes:
        raise ValueError(
            tr("it is {count:,} bytes long; at most {max_bytes:,} are read", count=len(data), max_bytes=max_bytes)
        )
    value = load_strict(data)
    if not isinstance(value, dict):
        raise ValueError(tr("it is not a JSON object"))
    return value


def _list(value: Json, what: str) -> list[Any]:
    # encoders of Go write an absent list as null
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(tr("{what} is not a list", what=what))
    return value


def _descriptor(value: Any) -> Descriptor:
    if not isinstance(value, dict):
        raise ValueError(tr("a descriptor is not an object"))
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType")
    if not isinstance(digest, str) or not isinstance(media_type, str):
        raise ValueError(tr("a descriptor lacks digest or mediaType"))
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError(tr("{media_type!r} is not a media type", media_type=media_type))
    if not isinstance(size, int) or isinstance(size, bool):
        raise ValueError(tr("the size of {digest} is not a number of bytes", digest=digest))
    platform = value.get("platform")
    return Descriptor(
        media_type, Blob(Digest.parse(digest), size), _platform(platform) if isinstance(platform, dict) else None
    )


def _platform(value: dict[str, Any]) -> Platform | None:
    try:
        return Platform.understood(value["os"], value["architecture"], value.get("variant") or "")
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _seconds(text: Any) -> int | None:
    # RFC 3339; tools that build reproducibly write the zero of Go or of Unix, which is no date
    try:
        moment = datetime.fromisoformat(text)
        return max(0, int(moment.timestamp())) or None if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
