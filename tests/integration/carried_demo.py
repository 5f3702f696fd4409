"""What is carried to a site, a demo with a runtime, and a registry on the hosts' network that takes its images."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.integration.demo_bundle import build_demo
from tests.integration.mirror_program import eventually
from tests.integration.portable_python import portable_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hosts.stage import Stage

ARCHIVE = "kubernetes_kubeedge_allinone.tar.gz"
RUNTIME = """
runtime:
  - python: {{url: "{archive}", sha256: {digest}}}
    platforms: [linux/amd64]
"""
# a demo without what is on every mirror's host anyway
REGISTRY = """
version: 0.1
storage: {{filesystem: {{rootdirectory: "{directory}"}}}}
http: {{addr: ":5000", secret: something}}
"""


def carried_demo(directory: Path, cache: Path) -> Path:
    """Build the demo with a runtime and return its archive.

    Arguments:
        directory: a new one. cache: keeps the portable Python for later runs.
    """
    python = portable_python(cache)
    digest = hashlib.sha256(python.read_bytes()).hexdigest()
    build_demo(directory, {ARCHIVE: RUNTIME.format(archive=python.as_uri(), digest=digest)})
    return directory / ARCHIVE


@contextmanager
def registry(site: Stage, directory: Path) -> Iterator[str]:
    """Run a registry beside the hosts; yields its name on their network."""
    (directory / "registry.yml").write_text(REGISTRY.format(directory=directory / "blobs"))
    command = [*site.beside, "docker-registry", "serve", str(directory / "registry.yml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: asked(site, "http://127.0.0.1:5000/v2/") == "{}", "the registry answers")
        yield "198.51.100.254:5000"
    finally:
        process.terminate()
        process.wait()


def asked(site: Stage, url: str) -> str:
    """Return what a program beside the hosts gets from a URL, "" when it gets nothing."""
    done = subprocess.run([*site.beside, "curl", "-fsS", url], capture_output=True, text=True, check=False)
    return done.stdout
