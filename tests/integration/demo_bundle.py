"""The demo's bundle, built by the real command from an upstream on loopback, and unpacked: what a site has."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import threading
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scripts.demo_upstream.server import Upstream, demo_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MANIFEST = Path(__file__).parents[2] / "manifests" / "demo.yaml"


@contextmanager
def demo_upstream() -> Iterator[str]:
    """Give the address of a running upstream of the demo."""
    # the upstream's log of requests has no place in a report
    with redirect_stderr(io.StringIO()), Upstream(demo_tree()) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        yield upstream.address
        upstream.shutdown()


def demo_bundle(directory: Path) -> Path:
    """Build the demo in a directory of the test's and return the unpacked tree, which everybody may enter."""
    tree = directory / "tree"
    build_demo(directory, {"demo.tar.gz": ""})
    with tarfile.open(directory / "demo.tar.gz") as archive:
        archive.extractall(tree, filter="tar")
    # servers of this machine run as other users
    for above in (tree, *tree.parents):
        if above.is_relative_to("/tmp") and above != Path("/tmp"):
            above.chmod(0o755)
    return tree


class Build(Protocol):
    """How an archive is built."""

    def __call__(self, manifest: Path, archive: Path, *options: str) -> None:
        """Build it; AssertionError where that fails."""


def _unchanged(manifest: str, directory: Path) -> str:
    del directory
    return manifest


def _anew(manifest: Path, archive: Path, *options: str) -> None:
    build = [sys.executable, "-m", "bundler", "build", str(manifest), "-o", str(archive), "--store", "store", *options]
    done = subprocess.run(build, cwd=manifest.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def build_demo(
    directory: Path, archives: Mapping[str, str], edit: Callable[[str, Path], str] = _unchanged, build: Build = _anew
) -> None:
    """Build archives of the demo in a directory, from one upstream and one store.

    Arguments:
        archives: by their names, what stands at the end of each one's manifest.
        edit: takes a manifest's text and its directory, and returns what it is to be.
        build: takes a manifest, its archive and options, and builds; by default with nothing that was there before.
    """
    with demo_upstream() as address:
        for name, further in archives.items():
            manifest = directory / f"{name}.yaml"
            manifest.write_text(edit(MANIFEST.read_text() + further, directory))
            build(manifest, directory / name, "--set", f"upstream={address}")
