"""Images as a bundle holds them: made on the spot, pinned and placed by the real kind, with a memory for a registry.

placed = place_images(tmp_path, {"docker.io/demo/app:1": (AMD64, ARM64)}, {"app": "docker.io/kubeedge/alias:9"})
placed.write(tmp_path / "bundle")                    # k8simage/ alone
placed.write_bundle(tmp_path / "root")               # with bundle.json and SHA256SUMS, for a mirror
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.images.entry import ImageEntry
from bundler.kinds.images.kind import ImagesKind
from bundler.model.bundle import BundleIndex, IndexedFile, encode_index, sums_text
from bundler.model.digest import Blob, Digest
from bundler.model.image.artifact import ImageArtifact
from bundler.model.image.oci import DOCKER_INDEX, DOCKER_MANIFEST
from bundler.model.lock import LockedEntry
from bundler.model.manifest import ROLES, entry_fingerprint
from bundler.model.platform import Platform
from bundler.model.progress import Unwatched
from bundler.model.reference import Reference
from bundler.model.source_text import Position
from tests.fakes.registry import MemoryRegistry, descriptor, image_sources
from tests.fakes.store import MemoryStore
from tests.integration.images import MadeImage, make_image

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from bundler.model.placement import Placement

AMD64, ARM64, ARMV7 = (Platform.parse(text) for text in ("linux/amd64", "linux/arm64", "linux/arm/v7"))
PLATFORMS = (AMD64, ARM64, ARMV7)
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True, slots=True)
class PlacedImages:
    """Images that are ready to be written.

    Arguments:
        ids: reference -> platform -> digest of the config.
        artifacts: as a lock pins them.
        blobs: digest -> content of what is not generated.
    """

    placements: Sequence[Placement]
    ids: dict[str, dict[str, str]]
    artifacts: Sequence[ImageArtifact]
    blobs: Mapping[Digest, bytes]

    @property
    def digests(self) -> dict[str, str]:
        """The lock's digest of each reference."""
        return {artifact.key: str(artifact.top.digest) for artifact in self.artifacts}

    def write(self, directory: Path) -> None:
        """Lay them out below a directory, as an unpacked bundle has them."""
        for placement in self.placements:
            path = directory / placement.path
            path.parent.mkdir(parents=True, exist_ok=True)
            data = placement.content
            assert isinstance(data, Blob | bytes)
            path.write_bytes(self.blobs[data.digest] if isinstance(data, Blob) else data)
            path.chmod(placement.mode)

    def write_bundle(self, directory: Path, name: str = "images") -> Path:
        """Write a bundle that holds nothing else, and return its directory."""
        self.write(directory)
        files = tuple(
            IndexedFile(
                placed.path, placed.blob, placed.mode, placed.kind, placed.roles, placed.platforms, placed.about
            )
            for placed in sorted(self.placements, key=lambda placed: placed.path.encode())
        )
        meaning = Digest.sha256(name.encode())
        index = encode_index(BundleIndex(name, "1", meaning, meaning, PLATFORMS, files))
        (directory / "bundle.json").write_bytes(index)
        (directory / "SHA256SUMS").write_bytes(sums_text(files, index))
        return directory


def add_in_docker_format(registry: MemoryRegistry, made: MadeImage, reference: str) -> None:
    """Put an image, its blobs being in the repository, under a tag as a manifest list with Docker's media types."""
    children = []
    for platform, config in made.configs.items():
        manifest = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": config.descriptor(mediaType=DOCKER_CONFIG),
            "layers": [layer.descriptor(mediaType=DOCKER_LAYER) for layer in made.layers[platform]],
        }
        blob = registry.add_document(f"{Reference.parse(reference).name}@", DOCKER_MANIFEST, manifest)
        described = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
        children.append(descriptor(DOCKER_MANIFEST, blob, platform=described))
    index = {"schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": children}
    registry.add_document(reference, DOCKER_INDEX, index)


def place_images(
    scratch: Path,
    wishes: Mapping[str, Sequence[Platform]],
    further_names: Mapping[str, str] | None = None,
    *,
    docker: bool = False,
    filler_bytes: int = 0,
    content: bytes = b"",
    by_digest: Collection[str] = (),
    files: Mapping[str, Mapping[str, bytes]] | None = None,
) -> PlacedImages:
    """Make images, pin them and place them.

    Arguments:
        scratch: takes the layout that they are made in.
        wishes: reference -> platforms of an image that has just these.
        further_names: part of a reference -> another name of that image.
        docker: whether they are in Docker's format.
        filler_bytes: size of a further layer of each.
        content: what further distinguishes them.
        by_digest: those of the references whose images are wanted, and so known, by their digest alone.
        files: reference -> further files of that image's own layer.
    """
    kind, registry, store = ImagesKind(), MemoryRegistry(), MemoryStore(scratch / "store")
    sources = image_sources(registry, store)
    locked, ids = [], {}
    for text, platforms in wishes.items():
        made = make_image(
            scratch / "layout", text, platforms=[str(platform) for platform in platforms], filler_bytes=filler_bytes,
            files={**({"content": content} if content else {}), **(files or {}).get(text, {})},
        )  # fmt: skip
        registry.add_layout(scratch / "layout", text, text)
        if docker:
            add_in_docker_format(registry, made, text)
        names = tuple(Reference.parse(name) for image, name in (further_names or {}).items() if image in text)
        asked = Reference.parse(f"{text.rpartition(':')[0]}@{made.top.digest}" if text in by_digest else text)
        entry = ImageEntry(text, Position("m", 1, 1), asked, names, tuple(platforms), ROLES)
        artifacts = kind.lock(entry, sources, Unwatched())
        locked.append(LockedEntry(kind.name, entry.id, entry_fingerprint(entry), artifacts))
        ids[text] = {platform: config.digest for platform, config in made.configs.items()}
    pinned = [artifact for entry in locked for artifact in entry.artifacts if isinstance(artifact, ImageArtifact)]
    for fetch in kind.fetches(pinned):
        kind.fetch(fetch, sources, Unwatched())
    return PlacedImages(tuple(kind.place(locked, PLATFORMS, sources)), ids, pinned, store.blobs)
