"""Small container images, made on the spot in an OCI image layout; the same arguments give the same bytes.

    made = make_image(tmp_path / "layout", "app:1", platforms=("linux/amd64", "linux/arm/v7"), files={"etc/app": b"1"})
    registry.fill(tmp_path / "layout", "app:1", "demo/app:1")          # tests/integration/registries.py

Every image has a base layer (busybox with /bin/sh, shared by all images and platforms) and a layer of its own, so that
it runs in a real engine on amd64. Several calls with one directory add images to the same layout. The name becomes
`org.opencontainers.image.ref.name`, which is what skopeo's `oci:DIRECTORY:NAME` looks for.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import json
import random
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUSYBOX = Path("/bin/busybox")
CREATED = "2021-09-01T12:00:00Z"
CREATED_SECONDS = 1630497600
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class MadeBlob:
    """One blob of the layout."""

    media_type: str
    digest: str
    size: int

    def descriptor(self, **fields: object) -> dict[str, Any]:
        """Return its OCI descriptor with further fields."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size, **fields}


@dataclass(frozen=True, slots=True)
class MadeImage:
    """What `make_image` wrote.

    `top` is what the name stands for: the index, or the manifest of a single-platform image. `manifests`, `configs`
    and `layers` are keyed by platform text; `layers` hold the base layer first.
    """

    layout: Path
    name: str
    top: MadeBlob
    manifests: Mapping[str, MadeBlob]
    configs: Mapping[str, MadeBlob]
    layers: Mapping[str, tuple[MadeBlob, ...]]

    def read(self, blob: MadeBlob) -> bytes:
        """Return a blob's bytes."""
        return (self.layout / "blobs" / "sha256" / blob.digest.removeprefix("sha256:")).read_bytes()


def make_image(
    layout: Path,
    name: str,
    *,
    platforms: Sequence[str] = ("linux/amd64",),
    index: bool | None = None,
    files: Mapping[str, bytes] | None = None,
    filler_bytes: int = 0,
    filler: str = "",
    attestations: bool = False,
) -> MadeImage:
    """Add an image to an OCI layout directory (made when it is missing).

    Arguments:
        name: its name in the layout, for example `app:1`; also written to /image of its own layer.
        platforms: `os/arch[/variant]` of each manifest. The binary is this machine's in all of them.
        index: whether the name stands for an index; by default only when there are several platforms.
        files: further content of its own layer, path without leading slash -> bytes.
        filler_bytes: size of a further layer of bytes that do not compress, shared by all platforms.
        filler: what that layer depends on, so that images of one filler share it; the name by default.
        attestations: whether the index also lists an `unknown/unknown` attestation per platform, as BuildKit makes.
    """
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    manifests: dict[str, MadeBlob] = {}
    configs: dict[str, MadeBlob] = {}
    layers: dict[str, tuple[MadeBlob, ...]] = {}
    for platform in platforms:
        own = _tar({"image": f"{name} {platform}\n".encode(), **(files or {})})
        tars = [base_layer(), own, *([_filler(filler or name, filler_bytes)] if filler_bytes else [])]
        layers[platform] = tuple(_add(layout, OCI_LAYER, packed) for _, packed in tars)
        diff_ids = [f"sha256:{hashlib.sha256(plain).hexdigest()}" for plain, _ in tars]
        configs[platform] = _add(layout, OCI_CONFIG, _json(_config(platform, diff_ids)))
        manifests[platform] = _add(layout, OCI_MANIFEST, _json(_manifest(configs[platform], layers[platform])))
    top = manifests[platforms[0]]
    if index or (index is None and len(platforms) > 1):
        children = [
            manifest.descriptor(platform=_platform_object(platform)) for platform, manifest in manifests.items()
        ]
        if attestations:
            children += [_attestation(layout, manifest) for manifest in manifests.values()]
        top = _add(layout, OCI_INDEX, _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}))
    _name_it(layout, name, top)
    return MadeImage(layout, name, top, manifests, configs, layers)


@functools.cache
def base_layer() -> tuple[bytes, bytes]:
    """Return the base layer's tar and the same tar gzipped: busybox and its /bin/sh.

    Unit tests, which run no image, also pass where scripts/test has installed nothing yet: with a shell in its place.
    """
    program = BUSYBOX if BUSYBOX.exists() else Path("/bin/sh")
    return _tar({"bin/busybox": program.read_bytes()}, links={"bin/sh": "busybox"})


def _tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> tuple[bytes, bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(data), 0o755, CREATED_SECONDS
            tar.addfile(entry, io.BytesIO(data))
        for path, target in sorted((links or {}).items()):
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname, entry.mtime = tarfile.SYMTYPE, target, CREATED_SECONDS
            tar.addfile(entry)
    return buffer.getvalue(), gzip.compress(buffer.getvalue(), 6, mtime=0)


def _filler(name: str, size: int) -> tuple[bytes, bytes]:
    return _tar({"filler": random.Random(name).randbytes(size)})


def _config(platform: str, diff_ids: list[str]) -> dict[str, Any]:
    return {
        "created": CREATED,
        **_platform_object(platform),
        "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": CREATED, "created_by": f"layer {number}"} for number in range(len(diff_ids))],
    }


def _platform_object(platform: str) -> dict[str, str]:
    system, architecture, *variant = platform.split("/")
    return {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}


def _manifest(config: MadeBlob, layers: Sequence[MadeBlob]) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }


def _attestation(layout: Path, subject: MadeBlob) -> dict[str, Any]:
    statement = _add(layout, IN_TOTO, _json({"_type": "https://in-toto.io/Statement/v0.1", "of": subject.digest}))
    config = _add(layout, OCI_CONFIG, _json(_config("unknown/unknown", [statement.digest])))
    manifest = _add(layout, OCI_MANIFEST, _json(_manifest(config, [statement])))
    return manifest.descriptor(
        platform=_platform_object("unknown/unknown"),
        annotations={
            "vnd.docker.reference.digest": subject.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    )


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _add(layout: Path, media_type: str, data: bytes) -> MadeBlob:
    hexadecimal = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / hexadecimal).write_bytes(data)
    return MadeBlob(media_type, f"sha256:{hexadecimal}", len(data))


def _name_it(layout: Path, name: str, top: MadeBlob) -> None:
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    path = layout / "index.json"
    found = json.loads(path.read_text())["manifests"] if path.exists() else []
    annotations = {"org.opencontainers.image.ref.name": name}
    kept = [item for item in found if item["annotations"] != annotations]
    manifests = [*kept, top.descriptor(annotations=annotations)]
    path.write_bytes(_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}))
