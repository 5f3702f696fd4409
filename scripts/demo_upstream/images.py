"""The demo's container images, as the pull side of a registry serves them (OCI distribution spec 1.1, "Pull").

Three small images that run in any engine. All share a base layer, so that one can see it being fetched once; two stand
behind an OCI index of two platforms, the third is a single manifest of Docker's schema 2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from scripts.demo_upstream.elf import ARCHITECTURES, speaking_program
from scripts.demo_upstream.tree import CHANGED_ISO, Resource, compressed, tar

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
_BASE_TAR = tar({"etc/os-release": b"ID=demo\nPRETTY_NAME=Demonstration\n", "etc/passwd": b"root:x:0:0::/:/hello\n"})


@dataclass(frozen=True, slots=True)
class MediaTypes:
    """The names that one family of formats gives to its documents."""

    manifest: str
    config: str
    layer: str


OCI_TYPES = MediaTypes(f"{OCI}.manifest.v1+json", f"{OCI}.config.v1+json", f"{OCI}.layer.v1.tar+gzip")
DOCKER_TYPES = MediaTypes(
    f"{DOCKER}.distribution.manifest.v2+json",
    f"{DOCKER}.container.image.v1+json",
    f"{DOCKER}.image.rootfs.diff.tar.gzip",
)


def images() -> dict[str, Resource]:
    """Return URL path -> blob, manifest or index, of all images."""
    return {
        "/v2/": Resource(b"{}", "application/json"),
        **_index("demo/hello", "1.0"),
        **_index("demo/pause", "3.5"),
        **_docker_image("demo/greeter", "2.1"),
    }


def _index(repository: str, tag: str) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    children: list[object] = []
    for arch in ARCHITECTURES:
        manifest, blobs = _image(repository, tag, arch, OCI_TYPES)
        found |= _served(repository, "blobs", *blobs) | _served(repository, "manifests", manifest)
        children.append({**_descriptor(manifest), "platform": {"os": "linux", "architecture": arch}})
    media_type = f"{OCI}.index.v1+json"
    index = _document({"schemaVersion": 2, "mediaType": media_type, "manifests": children}, media_type)
    return found | _served(repository, "manifests", index) | _named(repository, tag, index)


def _docker_image(repository: str, tag: str) -> dict[str, Resource]:
    manifest, blobs = _image(repository, tag, "amd64", DOCKER_TYPES)
    found = _served(repository, "blobs", *blobs) | _served(repository, "manifests", manifest)
    return found | _named(repository, tag, manifest)


def _image(repository: str, tag: str, arch: str, types: MediaTypes) -> tuple[Resource, tuple[Resource, ...]]:
    """Return the manifest of one platform, and its config and layers."""
    text = f"Hello from {repository}:{tag} on linux/{arch}, carried in an offline bundle.\n"
    tars = (_BASE_TAR, tar({"hello": speaking_program(text.encode(), arch)}))
    layers = tuple(Resource(compressed(content), types.layer) for content in tars)
    config = _document(
        {
            "created": CHANGED_ISO,
            "os": "linux",
            "architecture": arch,
            "config": {"Entrypoint": ["/hello"], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [Resource(content).digest for content in tars]},
            "history": [{"created": CHANGED_ISO, "created_by": made} for made in ("base", "hello")],
        },
        types.config,
    )
    manifest: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": types.manifest,
        "config": _descriptor(config),
        "layers": [_descriptor(layer) for layer in layers],
    }
    return _document(manifest, types.manifest), (config, *layers)


def _named(repository: str, tag: str, top: Resource) -> dict[str, Resource]:
    tags = _document({"name": repository, "tags": [tag]}, "application/json")
    return {f"/v2/{repository}/manifests/{tag}": top, f"/v2/{repository}/tags/list": tags}


def _document(value: dict[str, object], media_type: str) -> Resource:
    return Resource(json.dumps(value, separators=(",", ":")).encode(), media_type)


def _descriptor(resource: Resource) -> dict[str, object]:
    return {"mediaType": resource.media_type, "digest": resource.digest, "size": len(resource.content)}


def _served(repository: str, endpoint: str, *resources: Resource) -> dict[str, Resource]:
    return {f"/v2/{repository}/{endpoint}/{resource.digest}": resource for resource in resources}
