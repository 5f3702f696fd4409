"""What is carried to a site, a demo with a runtime, and a registry on the hosts' network that takes its images."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.integration.demo_bundle import build_demo
from tests.integration.kubeedge_part import with_kubeedge
from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.hosts.stage import Stage
    from tests.integration.ready_runtime import ReadyRuntime

ARCHIVE = "kubernetes_kubeedge_allinone.tar.gz"
# a demo without what is on every mirror's host anyway
REGISTRY = """
version: 0.1
storage: {{filesystem: {{rootdirectory: "{directory}"}}}}
http: {{addr: ":5000", secret: something}}
"""


def carried_demo(directory: Path, runtime: ReadyRuntime) -> Path:
    """Build the demo with a runtime in a new directory, and return its archive."""
    build_demo_with_runtime(directory, runtime, {ARCHIVE: ""})
    return directory / ARCHIVE


def carried_site(directory: Path, runtime: ReadyRuntime) -> Path:
    """Build the demo with a runtime and KubeEdge's stand-ins in a new directory, and return its archive."""
    build_demo(directory, {ARCHIVE: runtime.entry}, with_kubeedge, runtime.build)
    return directory / ARCHIVE


def build_demo_with_runtime(directory: Path, runtime: ReadyRuntime, archives: Mapping[str, str]) -> None:
    """Build archives of the demo in a directory, each with the tool.

    Arguments:
        archives: by their names, what stands at the end of each one's manifest.
    """
    ends = {name: runtime.entry + further for name, further in archives.items()}
    build_demo(directory, ends, build=runtime.build)


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
