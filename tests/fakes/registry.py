"""A `RegistryReader` over documents and blobs in memory, and a maker of small images to fill it with.

registry = MemoryRegistry()
made = registry.add_image("registry.k8s.io/pause:3.5", {"linux/amd64": [b"base", b"top"], "linux/arm64": [b"base"]})
made.top, made.manifests["linux/amd64"], made.configs[…], made.layers[…]       # blobs

registry.add_layout(layout, "app:1", "docker.io/demo/app:1")                   # from tests/integration/images.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.base import Sources
from bundler.model.digest import Blob, Digest
from bundler.model.image.oci import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.net.interface import CachedDocument, Document, Received, RemoteManifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bundler.model.progress import Task
    from bundler.model.sink import Sink
    from bundler.net.interface import RegistryReader
    from bundler.store.interface import BlobStore

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CREATED = "2021-09-01T12:00:00Z"
CREATED_SECONDS = 1630497600


@dataclass(frozen=True, slots=True)
class MadeImage:
    """What `add_image` put into the registry; the mappings are keyed by platform text."""

    top: Blob
    manifests: Mapping[str, Blob]
    configs: Mapping[str, Blob]
    layers: Mapping[str, tuple[Blob, ...]]


@dataclass(slots=True)
class MemoryRegistry:
    """Repositories in memory.

    Arguments:
        tags: `host/path:tag` -> digest.
        documents: (`host/path`, digest) -> media type and bytes; a test may damage an entry.
        blobs: (`host/path`, digest) -> bytes.
        via: the mirror that everything is said to come through.
        requests: what was asked for, in order: `manifest REFERENCE` or `blob HOST/PATH@DIGEST`.
    """

    tags: dict[str, Digest] = field(default_factory=dict)
    documents: dict[tuple[str, Digest], tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[tuple[str, Digest], bytes] = field(default_factory=dict)
    via: str = ""
    requests: list[str] = field(default_factory=list)

    def manifest(self, reference: Reference, *, want: Digest | None = None) -> RemoteManifest:
        """Return the document under a digest or a tag, which has to be at the digest that is wanted."""
        self.requests.append(f"manifest {reference}")
        digest = reference.digest or self.tags.get(reference.tagged)
        found = self.documents.get((reference.name, digest)) if digest else None
        if found is None or digest is None:
            raise _absent(str(reference))
        if want is not None and digest != want:
            raise IntegrityError(
                ErrorId.DIGEST_MISMATCH, "is another one", remedy="Find out why.", want=str(want), got=str(digest)
            )
        media_type, data = found
        return RemoteManifest(media_type, data, digest, self.via)

    def blob(self, repositories: Sequence[Reference], blob: Blob, sink: Sink, task: Task) -> str:
        """Write the blob into the sink, in two pieces, from the first repository that has it."""
        for repository in repositories:
            self.requests.append(f"blob {repository.name}@{blob.digest}")
            data = self.blobs.get((repository.name, blob.digest))
            if data is not None:
                sink.restart("")
                for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
                    sink.write(piece)
                    task.advance(len(piece))
                return self.via
        raise _absent(str(blob.digest))

    def add_document(self, reference: str, media_type: str, value: Mapping[str, Any] | bytes) -> Blob:
        """Put a document under a tag, or under its digest alone when the reference is `host/path@`."""
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        blob = Blob.of(data)
        if reference.endswith("@"):
            name = reference[:-1]
        else:
            parsed = Reference.parse(reference)
            name = parsed.name
            self.tags[parsed.tagged] = blob.digest
        self.documents[name, blob.digest] = (media_type, data)
        return blob

    def add_blob(self, name: str, data: bytes) -> Blob:
        """Put a blob into the repository `host/path`."""
        blob = Blob.of(data)
        self.blobs[name, blob.digest] = data
        return blob

    def add_image(
        self,
        reference: str,
        platforms: Mapping[str, Sequence[bytes]],
        *,
        index: bool | None = None,
        docker: bool = False,
        layer_types: Sequence[str] = (),
        attestations: bool = False,
        created: str | None = CREATED,
        names_platforms: bool = True,
        calls_itself: str | None = None,
    ) -> MadeImage:
        """Put an image under a tag.

        Arguments:
            platforms: platform text -> layers, the base first.
            index: whether the tag stands for an index; by default when there are several platforms.
            docker: Docker's media types instead of OCI's.
            layer_types: media types of the first layers.
            attestations: whether the index also lists an `unknown/unknown` child per platform.
            created: in the configs; None leaves it out.
            names_platforms: whether the index tells the platforms of its children.
            calls_itself: the platform in the configs when it is not the one of the index.
        """
        name = Reference.parse(reference).name
        manifests: dict[str, Blob] = {}
        configs: dict[str, Blob] = {}
        layers: dict[str, tuple[Blob, ...]] = {}
        for platform, contents in platforms.items():
            layers[platform] = tuple(self.add_blob(name, content) for content in contents)
            config = {**_platform_object(calls_itself or platform), "rootfs": {"type": "layers"}, "for": platform}
            configs[platform] = self.add_blob(
                name, json.dumps(config | ({"created": created} if created else {})).encode()
            )
            types = [*layer_types, *[OCI_LAYER] * len(contents)]
            manifests[platform] = self.add_document(
                f"{name}@",
                DOCKER_MANIFEST if docker else OCI_MANIFEST,
                {
                    "schemaVersion": 2,
                    "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
                    "config": descriptor(OCI_CONFIG, configs[platform]),
                    "layers": [descriptor(kind, blob) for kind, blob in zip(types, layers[platform], strict=False)],
                },
            )
        top = next(iter(manifests.values()))
        if index or (index is None and len(platforms) > 1):
            kind = DOCKER_INDEX if docker else OCI_INDEX
            child = DOCKER_MANIFEST if docker else OCI_MANIFEST
            children = [
                descriptor(child, blob, **({"platform": _platform_object(text)} if names_platforms else {}))
                for text, blob in manifests.items()
            ]
            for blob in manifests.values() if attestations else ():
                statement = self.add_document(f"{name}@", OCI_MANIFEST, {"schemaVersion": 2, "of": str(blob.digest)})
                children.append(descriptor(OCI_MANIFEST, statement, platform=_platform_object("unknown/unknown")))
            top = self.add_document(
                f"{name}@",
                kind,
                {"schemaVersion": 2, "mediaType": kind, "manifests": children, "annotations": {"ä": "ö"}},
            )
        self.tags[Reference.parse(reference).tagged] = top.digest
        return MadeImage(top, manifests, configs, layers)

    def add_layout(self, layout: Path, image: str, reference: str) -> None:
        """Put an image of an OCI layout directory under a tag; its repository holds every blob of the directory."""
        parsed = Reference.parse(reference)
        for path in (layout / "blobs" / "sha256").iterdir():
            digest = Digest("sha256", path.name)
            data = path.read_bytes()
            self.blobs[parsed.name, digest] = data
            if data.startswith(b"{"):
                self.documents[parsed.name, digest] = (json.loads(data).get("mediaType", ""), data)
        for found in json.loads((layout / "index.json").read_text())["manifests"]:
            if found["annotations"]["org.opencontainers.image.ref.name"] == image:
                self.tags[parsed.tagged] = Digest.parse(found["digest"])


class NoDownloads:
    """A `Downloader` for what must not download plain files."""

    def download(
        self,
        urls: Sequence[str],
        sink: Sink,
        task: Task,
        *,
        size: int | None = None,
        accept: Callable[[Received], None] | None = None,
    ) -> Received:
        """Fail."""
        del sink, task, size, accept
        raise AssertionError(f"{urls} were downloaded")

    def size(self, urls: Sequence[str]) -> int | None:
        """Fail."""
        raise AssertionError(f"{urls} were asked for")

    def read(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: Callable[[Document], None] | None = None,
        cached: CachedDocument | None = None,
    ) -> Document:
        """Fail."""
        del max_bytes, accept, cached
        raise AssertionError(f"{url} was read")


def image_sources(registry: RegistryReader, store: BlobStore) -> Sources:
    """Return sources of which only the registry and the store may be used."""
    return Sources(NoDownloads(), registry, store, base_directory="/")


def descriptor(media_type: str, blob: Blob, **further: object) -> dict[str, Any]:
    """Return an OCI descriptor as JSON."""
    return {"mediaType": media_type, "digest": str(blob.digest), "size": blob.size, **further}


def _platform_object(text: str) -> dict[str, str]:
    platform = Platform.parse(text)
    told = {"os": platform.os, "architecture": platform.arch}
    return told | ({"variant": platform.variant} if platform.variant else {})


def _absent(where: str) -> SourceError:
    return SourceError(ErrorId.SOURCE_NOT_FOUND, "is not there", where=where, remedy="Check the name.")
