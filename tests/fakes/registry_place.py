"""A registry in memory that holds images, and what is wrong with it: `mirror.probe.interface.MirrorRegistryClient`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.digest import Blob
from bundler.model.image.oci import OCI_INDEX, OCI_MANIFEST
from mirror.probe import failures
from mirror.probe.interface import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bundler.errors import SourceError

WHERE = "http://master:8088"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(slots=True)
class MemoryRegistryPlace:
    """Answers `answers`.

    Arguments:
        answers: path -> content and media type.
        always: path -> what every request for it raises.
        asked: method and path of every request.
    """

    answers: dict[str, tuple[bytes, str]] = field(default_factory=lambda: {"v2/": (b"{}", "application/json")})
    always: dict[str, SourceError] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def add_image(self, repository: str, tag: str, platforms: Sequence[str], layers: Sequence[bytes]) -> Blob:
        """Hold an image of one manifest for each platform, all with these layers and one more; return its index."""
        children = []
        for platform in platforms:
            config, own = f"config of {repository} {platform}".encode(), f"layer of {platform}".encode()
            manifest = json.dumps(
                {
                    "schemaVersion": 2,
                    "mediaType": OCI_MANIFEST,
                    "config": self._blob(repository, config, CONFIG),
                    "layers": [self._blob(repository, layer, LAYER) for layer in (*layers, own)],
                }
            ).encode()
            system, _, architecture = platform.partition("/")
            described = self._document(repository, manifest, OCI_MANIFEST)
            children.append({**described, "platform": {"os": system, "architecture": architecture}})
        index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}).encode()
        self._document(repository, index, OCI_INDEX, tag)
        return Blob.of(index)

    def _blob(self, repository: str, data: bytes, media_type: str) -> dict[str, object]:
        self.answers[f"v2/{repository}/blobs/{Blob.of(data).digest}"] = data, "application/octet-stream"
        return {"mediaType": media_type, "digest": str(Blob.of(data).digest), "size": len(data)}

    def _document(self, repository: str, data: bytes, media_type: str, *tags: str) -> dict[str, object]:
        for reference in (str(Blob.of(data).digest), *tags):
            self.answers[f"v2/{repository}/manifests/{reference}"] = data, media_type
        return {"mediaType": media_type, "digest": str(Blob.of(data).digest), "size": len(data)}

    @contextmanager
    def get(self, path: str, accept: str = "") -> Iterator[Reply]:
        """Give the content in two pieces."""
        data, fields = self._answer("GET", path, accept)
        half = len(data) // 2
        yield Reply(fields, iter([data[:half], data[half:]]))

    def head(self, path: str, accept: str = "") -> Mapping[str, str]:
        """Give the fields."""
        return self._answer("HEAD", path, accept)[1]

    def _answer(self, method: str, path: str, accept: str) -> tuple[bytes, dict[str, str]]:
        self.asked.append((method, path))
        if path in self.always:
            raise self.always[path]
        if path not in self.answers:
            raise failures.absent(WHERE, "404 Not Found")
        data, media_type = self.answers[path]
        assert ("manifests" in path) == bool(accept)
        return data, {
            "content-type": media_type,
            "content-length": str(len(data)),
            "docker-content-digest": str(Blob.of(data).digest),
            **({"docker-distribution-api-version": "registry/2.0"} if path == "v2/" else {}),
        }
