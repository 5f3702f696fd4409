"""How large the bundle of manifests/kubeedge-1.11.1.yaml becomes, and how long it takes: against an upstream made here.

The manifest is the real one but for its `runtime`, whose Python only its publisher has; mirrors lead every address to
this machine. Sizes are likely ones (kubeedge_upstream.py), and no network is measured.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, run_once
from tests.integration.nginx import nginx
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scripts.benchmarks.measure import TimedRun

SUMMARY = "plan, build, verify and unpack a bundle of the shape of manifests/kubeedge-1.11.1.yaml (no peer)"
MANIFEST = Path(__file__).parents[2] / "manifests" / "kubeedge-1.11.1.yaml"
# where the upstream has its files and its images
FILES, LAYOUTS = "files", "layouts"
REGISTRIES = ("registry.k8s.io", "quay.io", "docker.io")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes (default 1)")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        manifest = directory / MANIFEST.name
        manifest.write_text(without_runtime(MANIFEST.read_text()))
        upstream = directory / "upstream"
        maker = [sys.executable, "-m", "scripts.benchmarks.kubeedge_upstream"]
        run_once([*maker, str(manifest), str(upstream), str(arguments.scale)])
        with nginx(upstream / FILES, directory) as site, plain_registry(directory / "registry") as registry:
            _fill(registry, upstream / LAYOUTS)
            mirrors = [f"--mirror=https://={site.url}/", "--mirror-only"]
            mirrors += [f"--mirror={host}={registry.host}/{host}" for host in REGISTRIES]
            rows = _measure(directory, manifest, mirrors)
        archive = directory / "out" / "kubernetes_kubeedge_allinone.tar.gz"
        _print(arguments, rows, archive, directory / "tree")


def without_runtime(text: str) -> str:
    """Return a manifest's text without its entries of `runtime`."""
    return re.sub(r"^runtime:\n(?:[ #].*\n|\n)*", "", text, flags=re.MULTILINE)


def _fill(registry: Registry, layouts: Path) -> None:
    for image in json.loads((layouts / "index.json").read_bytes())["manifests"]:
        name = image["annotations"]["org.opencontainers.image.ref.name"]
        registry.fill(layouts, name, name)
    shutil.rmtree(layouts)


def _measure(directory: Path, manifest: Path, mirrors: Sequence[str]) -> dict[str, TimedRun]:
    bundler = [str(Path(sys.executable).with_name("bundler"))]
    store = ["--store", str(directory / "store")]
    out = directory / "out"
    archive = out / "kubernetes_kubeedge_allinone.tar.gz"
    build = [*bundler, "build", str(manifest), *store, *mirrors, "-o", f"{out}/"]
    out.mkdir()
    rows = {
        "plan": run_once([*bundler, "plan", str(manifest), *store, *mirrors]),
        "build, nothing there": run_once(build),
    }
    archive.unlink()
    return {
        **rows,
        "build, all in the store": run_once(build),
        "verify": run_once([*bundler, "verify", str(archive)]),
        "unpack": run_once([*bundler, "unpack", str(archive), "-C", str(directory / "tree")]),
    }


def _print(arguments: argparse.Namespace, rows: dict[str, TimedRun], archive: Path, tree: Path) -> None:
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"one run in {arguments.directory}\n")
    files = [path for path in tree.rglob("*") if path.is_file()]
    unpacked = sum(path.stat().st_size for path in files)
    print(
        f"archive {archive.stat().st_size / MIB:,.0f} MiB; unpacked {unpacked / MIB:,.0f} MiB in {len(files):,} files\n"
    )
    print("| | wall clock | processor time | peak memory |\n|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {row.seconds:.1f} s | {row.processor_s:.1f} s | {row.peak_bytes / MIB:.0f} MiB |")
