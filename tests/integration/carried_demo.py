"""What is carried to a site, a demo with a runtime, and a registry on the hosts' network that takes its images."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scripts.demo_journey.bundles import RUNTIME
from tests.integration.demo_bundle import build_demo
from tests.integration.kubeedge_part import with_kubeedge
from tests.integration.mirror_program import eventually
from tests.integration.portable_python import portable_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.hosts.stage import Stage

ARCHIVE = "kubernetes_kubeedge_allinone.tar.gz"
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
    build_demo_with_runtime(directory, cache, {ARCHIVE: ""})
    return directory / ARCHIVE


def carried_site(directory: Path, cache: Path) -> Path:
    """Build the demo with a runtime and KubeEdge's stand-ins, and return its archive. Arguments as above."""
    build_demo(directory, {ARCHIVE: _runtime(cache)}, with_kubeedge)
    return directory / ARCHIVE


def build_demo_with_runtime(directory: Path, cache: Path, archives: Mapping[str, str]) -> None:
    """Build archives of the demo in a directory, each with the tool.

    Arguments:
        cache: keeps the portable Python for later runs.
        archives: by their names, what stands at the end of each one's manifest.
    """
    runtime = _runtime(cache)
    build_demo(directory, {name: runtime + further for name, further in archives.items()})


def _runtime(cache: Path) -> str:
    python = portable_python(cache)
    return RUNTIME.format(url=python.as_uri(), digest=hashlib.sha256(python.read_bytes()).hexdigest())


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
