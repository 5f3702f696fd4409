"""The demo's bundle, built by the real command from an upstream on loopback, and unpacked: what a site has."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import threading
from contextlib import redirect_stderr
from pathlib import Path

from scripts.demo_upstream.server import Upstream, demo_tree

MANIFEST = Path(__file__).parents[2] / "manifests" / "demo.yaml"


def demo_bundle(directory: Path) -> Path:
    """Build the demo in a directory of the test's and return the unpacked tree, which everybody may enter."""
    shutil.copy(MANIFEST, directory)
    tree = directory / "tree"
    # the upstream's log of requests has no place in a report
    with redirect_stderr(io.StringIO()), Upstream(demo_tree()) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        build = [sys.executable, "-m", "bundler", "build", "demo.yaml", "--set", f"upstream={upstream.address}"]
        done = subprocess.run(
            [*build, "-o", "demo.tar.gz", "--store", "store"],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
        upstream.shutdown()
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(directory / "demo.tar.gz") as archive:
        archive.extractall(tree, filter="tar")
    # servers of this machine run as other users
    for above in (tree, *tree.parents):
        if above.is_relative_to("/tmp") and above != Path("/tmp"):
            above.chmod(0o755)
    return tree
