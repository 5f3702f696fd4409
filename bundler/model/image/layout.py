"""The directory `k8simage/` of a bundle: OCI image layout and docker-archive over one set of blobs. docs/design.md, 6.

Owns every byte of it but the scripts and the blobs, and which image each blob belongs to. What it writes:

    oci-layout, index.json                   OCI image layout (image spec 1.1, image-layout.md), one descriptor per name
    blobs/sha256/HEX                         documents, configs and layers as the upstream gave them, each once;
                                             and an OCI view of every image in Docker's format, see `oci_view`
    manifest.json                            docker-archive of the primary platform, absent when no image is for it
    platforms/OS-ARCH[-VARIANT]/manifest.json the same for every platform
    images.tsv                               the table that load.sh reads, see `images_table`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from bundler.model.about import ImageAbout, TopAbout
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.image.blob_paths import IMAGE_DIRECTORY, blob_path
from bundler.model.image.oci import OCI_INDEX, OCI_MANIFEST
from bundler.model.json_value import Json, dump_canonical, dump_pretty
from bundler.model.manifest import ROLES
from bundler.model.placement import Placement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.artifact import HeldTo
    from bundler.model.image.artifact import ImageArtifact, PlatformImage
    from bundler.model.platform import Platform
    from bundler.model.reference import Reference

T = TypeVar("T")
TABLE_HEADER = "#platform\timage_id\tmanifest\tmanifest_size\tmanifest_type\tdigest\tbytes\tnames\tlayers\n"


def layout_placements(
    artifacts: Sequence[ImageArtifact], platforms: Sequence[Platform], scripts: Mapping[str, bytes], *, kind: str
) -> tuple[Placement, ...]:
    """Return everything that lies in the directory.

    Arguments:
        artifacts: at least one; no two of different digests under one name.
        platforms: the bundle's, the primary one first; also the spelling of directory names.
        scripts: file name -> content, placed as executables.
        kind: the name of the kind that places them.
    """
    ordered = sorted(artifacts, key=lambda artifact: artifact.key)
    documents = {
        "oci-layout": dump_canonical({"imageLayoutVersion": "1.0.0"}),
        "index.json": layout_index(ordered),
        "images.tsv": images_table(ordered),
    }
    for platform in _spelled_platforms(ordered, platforms):
        if archive := docker_archive(ordered, platform):
            documents[f"platforms/{platform.slug}/manifest.json"] = archive
            if platform.matches(platforms[0]):
                documents["manifest.json"] = archive
    return (
        *(Placement(BundlePath(f"{IMAGE_DIRECTORY}/{name}"), data, kind) for name, data in documents.items()),
        *(Placement(BundlePath(f"{IMAGE_DIRECTORY}/{name}"), data, kind, 0o755) for name, data in scripts.items()),
        *_view_placements(ordered, kind),
        *_blob_placements(ordered, kind),
    )


def layout_index(artifacts: Sequence[ImageArtifact]) -> bytes:
    """Return index.json: for every full name the image's top document, sorted by name.

    skopeo finds a name by `org.opencontainers.image.ref.name`, containerd by `io.containerd.image.name`. An image that
    was asked for by digest alone is called `name@digest`. Where the top document is of Docker's type, the OCI view goes
    before it under the same name: skopeo takes the first that it understands, containerd keeps the last.
    """
    named = {str(name): artifact for artifact in artifacts for name in artifact.names}
    manifests: list[Json] = []
    for name, artifact in sorted(named.items()):
        annotations: Json = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
        if (view := oci_view(artifact)) is not None:
            manifests.append({**_descriptor(OCI_INDEX, Blob.of(view)), "annotations": annotations})
        manifests.append({**_descriptor(artifact.media_type, artifact.top), "annotations": annotations})
    return dump_pretty({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})


def oci_view(artifact: ImageArtifact) -> bytes | None:
    """Return an OCI index of the manifests of an image in Docker's format, or None for an image in OCI's.

    Readers of OCI layouts need not know other types in index.json (image spec, image-index.md), and skopeo up to 1.18
    finds no image of Docker's there (its issue 2577). No registry knows an image by this document's digest.
    """
    if artifact.media_type in (OCI_INDEX, OCI_MANIFEST):
        return None
    manifests: list[Json] = [
        {**_descriptor(image.manifest.media_type, image.manifest.blob), "platform": _platform_object(image.platform)}
        for image in artifact.images
    ]
    return dump_canonical({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})


def _descriptor(media_type: str, blob: Blob) -> dict[str, Json]:
    return {"mediaType": media_type, "digest": str(blob.digest), "size": blob.size}


def _platform_object(platform: Platform) -> Json:
    value = {"os": platform.os, "architecture": platform.arch}
    return value | ({"variant": platform.variant} if platform.variant else {})


def docker_archive(artifacts: Sequence[ImageArtifact], platform: Platform) -> bytes | None:
    """Return the manifest.json of a docker-archive for one platform, or None when no image can be loaded for it.

    `Config` and `Layers` point at the blobs of the layout; `RepoTags` are full names, without those by digest, which
    the format cannot hold. An image with foreign layers is left out: an engine refuses it without them.
    """
    entries: list[Json] = [
        {
            "Config": f"blobs/sha256/{image.config.digest.hex}",
            "RepoTags": [str(name) for name in artifact.names if name.tag],
            "Layers": [f"blobs/sha256/{layer.digest.hex}" for layer in image.layers],
        }
        for artifact in artifacts
        for image in artifact.images
        if image.platform.matches(platform) and not image.skipped
    ]
    return dump_pretty(entries) if entries else None


def images_table(artifacts: Sequence[ImageArtifact]) -> bytes:
    r"""Return images.tsv, by which a shell script handles single images without reading JSON.

    UTF-8 lines, fields separated by one tab, none empty, further fields may be appended one day; lines that begin with
    `#` are to be skipped. One line for each image and platform, without those that have foreign layers:

        platform       os/arch[/variant]
        image_id       digest of the config: what a Docker engine calls the image
        manifest       digest of the platform's manifest: what an engine with containerd's image store calls it
        manifest_size  in bytes
        manifest_type  its media type
        digest         digest of the top document, the lock's
        bytes          manifest, config and layers together, each blob once
        names          full names separated by spaces: host/path:tag, or host/path@digest when it has no other
        layers         digests from the base upwards separated by spaces, or `-`
    """
    lines = [_table_line(artifact, image) for artifact in artifacts for image in artifact.images if not image.skipped]
    return "".join([TABLE_HEADER, *lines]).encode()


def _table_line(artifact: ImageArtifact, image: PlatformImage) -> str:
    fields = (
        str(image.platform),
        str(image.config.digest),
        str(image.manifest.digest),
        str(image.manifest.size),
        image.manifest.media_type,
        str(artifact.top.digest),
        str(sum(blob.size for blob in image.blobs)),
        " ".join(map(str, artifact.names)),
        " ".join(str(layer.digest) for layer in image.layers) or "-",
    )
    return "\t".join(fields) + "\n"


def _spelled_platforms(artifacts: Sequence[ImageArtifact], preferred: Sequence[Platform]) -> list[Platform]:
    present = sorted({platform for artifact in artifacts for platform in artifact.platforms})
    spelled: dict[Platform, Platform] = {}
    for platform in (*preferred, *present):
        spelled.setdefault(platform.normalized, platform)
    return list(spelled.values())


@dataclass(slots=True)
class _BlobUse:
    """What is known of one blob while all images are gone through."""

    blob: Blob
    media_type: str
    images: set[Reference] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    platforms: set[Platform] = field(default_factory=set)
    created: int | None = None
    tops: list[ImageArtifact] = field(default_factory=list)

    def add(self, artifact: ImageArtifact, platforms: Sequence[Platform]) -> None:
        self.images.add(artifact.reference)
        self.roles.update(artifact.roles)
        self.platforms.update(platforms)
        if artifact.created is not None:
            self.created = max(artifact.created, self.created or 0)

    def about(self) -> ImageAbout:
        """Return what the bundle's index tells: of every blob its images, of a top document the image itself."""
        return ImageAbout(self.media_type, _in_text_order(self.images), self._top() if self.tops else None)

    def _top(self) -> TopAbout:
        return TopAbout(
            names=_in_text_order({name for top in self.tops for name in top.names}),
            platforms=_in_text_order({platform for top in self.tops for platform in top.platforms}),
            digest=self.blob.digest,
            held_to=_best_held_to(self.tops),
            foreign_layers=_in_text_order(
                {layer.digest for top in self.tops for image in top.images for layer in image.skipped}
            ),
        )


def _view_placements(artifacts: Sequence[ImageArtifact], kind: str) -> list[Placement]:
    views: dict[bytes, list[ImageArtifact]] = {}
    for artifact in artifacts:
        if (view := oci_view(artifact)) is not None:
            views.setdefault(view, []).append(artifact)
    return [
        Placement(
            blob_path(Digest.sha256(view)),
            view,
            kind,
            roles=_in_order({role for artifact in shown for role in artifact.roles}),
            platforms=shown[0].platforms,
            about=ImageAbout(OCI_INDEX, tuple(artifact.reference for artifact in shown)),
        )
        for view, shown in views.items()
    ]


def _in_text_order(values: set[T]) -> tuple[T, ...]:
    return tuple(sorted(values, key=str))


def _in_order(roles: set[str]) -> tuple[str, ...]:
    return tuple(role for role in ROLES if role in roles)


def _best_held_to(artifacts: Sequence[ImageArtifact]) -> HeldTo:
    # the same bytes under several names: what vouched for one of them vouched for all
    pinned = [artifact.held_to for artifact in artifacts if artifact.held_to.by != "first-use"]
    return (pinned or [artifact.held_to for artifact in artifacts])[0]


def _blob_placements(artifacts: Sequence[ImageArtifact], kind: str) -> list[Placement]:
    uses: dict[Blob, _BlobUse] = {}

    def use(blob: Blob, media_type: str) -> _BlobUse:
        return uses.setdefault(blob, _BlobUse(blob, media_type))

    for artifact in artifacts:
        use(artifact.upstream, artifact.media_type).add(artifact, artifact.platforms)
        use(artifact.top, artifact.media_type).add(artifact, artifact.platforms)
        uses[artifact.top].tops.append(artifact)
        for image in artifact.images:
            use(image.manifest.blob, image.manifest.media_type).add(artifact, [image.platform])
            use(image.config.blob, image.config.media_type).add(artifact, [image.platform])
            for layer in image.layers:
                use(layer.blob, layer.media_type).add(artifact, [image.platform])
    return [
        Placement(
            blob_path(blob.digest),
            blob,
            kind,
            mtime=use.created,
            roles=_in_order(use.roles),
            platforms=tuple(sorted(use.platforms)),
            about=use.about(),
        )
        for blob, use in sorted(uses.items())
    ]
