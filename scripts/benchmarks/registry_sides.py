"""Registries to be measured beside ours: started on free ports of loopback, filled with the same images, ended."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.model.image.oci import OCI_MANIFEST
from scripts.benchmarks.registry_images import layout
from scripts.benchmarks.serve_sides import READY_S, free_port, program, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scripts.benchmarks.registry_images import ServedImage
    from scripts.benchmarks.serve_sides import Side

PEER, STUB = "docker-registry", "stub"
# what a blob is known by stays in memory, as in Debian's own configuration
_SETTINGS = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {directory}}}, cache: {{blobdescriptor: inmemory}}}}
http: {{addr: "127.0.0.1:{port}", secret: bench}}
"""


@contextmanager
def registry_side(name: str, command: str, directory: Path, images: Sequence[ServedImage]) -> Iterator[Side]:
    """Run a registry of the distribution project for the length of a block, with the images pushed to it."""
    port = free_port()
    settings = directory / f"{name}.yml"
    settings.write_text(_SETTINGS.format(directory=directory / f"{name}-storage", port=port))
    # version 3 looks for somebody who collects its traces
    environment = ["env", "OTEL_TRACES_EXPORTER=none"]
    with running(name, [*environment, command, "serve", str(settings)], port, directory, _answers) as side:
        for image in images:
            there = f"docker://127.0.0.1:{port}/{image.repository}:{image.manifest_path.rpartition('/')[2]}"
            ours = f"oci:{layout(directory / 'tree')}:{image.name}"
            push = [program("skopeo"), "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests"]
            subprocess.run([*push, "--dest-tls-verify=false", ours, there], check=True)
        yield side


@contextmanager
def stub_side(directory: Path, blob_bytes: int) -> Iterator[Side]:
    """Run what costs next to nothing in a registry's place, for the length of a block; see `stub_registry`."""
    port = free_port()
    command = [sys.executable, "-m", "scripts.benchmarks.stub_registry", str(port), str(blob_bytes)]
    with running(STUB, command, port, directory, _answers) as side:
        yield side


def make_stub_forget(side: Side) -> None:
    """Have a stub forget what was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=READY_S)
    connection.request("DELETE", "/")
    connection.getresponse().read()
    connection.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_S)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def check_blobs(side: Side, images: Sequence[ServedImage]) -> None:
    """Fetch every manifest and every layer; ends the benchmark when a byte is wrong."""
    for image in images:
        for path, digest in ((image.manifest_path, image.manifest.hex), (image.blob_path, image.layer.hex)):
            check_digest(side, path, digest)


def check_digest(side: Side, path: str, digest: str) -> None:
    """Fetch a path; ends the benchmark when a byte is wrong."""
    connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=READY_S)
    connection.request("GET", f"/{path}", headers={"Accept": OCI_MANIFEST})
    came = hashlib.sha256(connection.getresponse().read()).hexdigest()
    connection.close()
    if came != digest:
        raise SystemExit(f"scripts/bench: {side.name} sent other bytes for {path} than it was given")
