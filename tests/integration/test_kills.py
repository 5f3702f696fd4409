"""Commands that are killed at random moments: the next run ends as if nothing had been, and nothing is left over.

KILLS (a number) makes it longer.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker_engine import docker_engine
from tests.integration.placed_images import AMD64, place_images
from tests.integration.pushed_bundle import push_command, skopeo_digest, small_bundle
from tests.integration.registries import plain_registry
from tests.unit.archive.bundles import files_below, sample, tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

pytestmark = pytest.mark.integration
BUNDLER = str(Path(sys.executable).with_name("bundler"))
KILLS = int(os.environ.get("KILLS", "8"))
RUN_WITHIN_S = 120
RANDOM = random.Random()
APP = "docker.io/demo/app:1"


def _ended(command: Sequence[str], directory: Path, **variables: str) -> float:
    """Run a command to its successful end; return how long it took, in seconds."""
    began = time.monotonic()
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def _killed(command: Sequence[str], directory: Path, within_s: float, **variables: str) -> None:
    """Run a command, and kill it at a random moment unless it has ended."""
    environment = {**os.environ, **variables}
    process = subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(RANDOM.uniform(0.1, within_s))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _manifest(directory: Path, name: str) -> Path:
    """Write a manifest of local files, an archive that members are taken from among them."""
    (directory / "source").mkdir(exist_ok=True)
    lines = ["version: 1", f"name: {name}", "platforms: [linux/amd64]", "files:"]
    for number in range(20):
        (directory / f"source/{number}").write_bytes(random.Random(number).randbytes(100_000))
        lines.append(f"  - {{path: files/{number}, url: source/{number}}}")
    tar = directory / "source/members.tar.gz"
    subprocess.run(["tar", "-C", directory / "source", "-czf", tar, "1", "2", "3"], check=True)
    lines += ["  - url: source/members.tar.gz", "    members: {'1': members/1, '2': members/2, '3': members/3}"]
    manifest = directory / f"{name}.yaml"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def _names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def _shape(store: Path) -> dict[str, int]:
    """Return how many files each directory of a store holds, at its top and below."""
    return {path.name: sum(below.is_file() for below in path.rglob("*")) for path in store.iterdir() if path.is_dir()}


def test_builds(tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    place = tmp_path / "place"
    shape: Mapping[str, int] = {}
    took_s = 0.0
    for directory in (reference, place):
        directory.mkdir()
        _manifest(directory, "demo")
        _manifest(directory, "other")
    build = [BUNDLER, "build", "demo.yaml", "-o", "out/", "--store", "store"]
    other = [BUNDLER, "build", "other.yaml", "-o", "out/", "--store", "store"]
    for command in (other, build):
        took_s = max(took_s, _ended(command, reference))
    shape, wanted = _shape(reference / "store"), (reference / "out/demo.tar.gz").read_bytes()
    _ended(other, place)
    for number in range(KILLS):
        if number % 4 == 0:
            (place / "demo.lock.json").unlink(missing_ok=True)
        _killed(build if number % 3 else other, place, took_s)
    _ended(build, place)
    assert (place / "out/demo.tar.gz").read_bytes() == wanted
    assert _names(place / "out") == _names(reference / "out")
    assert {path.name for path in place.iterdir()} == {path.name for path in reference.iterdir()}
    assert _shape(place / "store") == shape


def test_unpacking(tmp_path: Path) -> None:
    contents = {f"kubeedge/{number}": random.Random(number).randbytes(400_000) for number in range(40)}
    made = sample(tmp_path / "demo", contents)
    made.write(tmp_path / "demo.tar.gz")
    sample(tmp_path / "other", {f"kubeedge/{number}": b"x" for number in range(40)}, name="other").write(
        tmp_path / "other.tar.gz"
    )
    target = tmp_path / "opt"
    unpack = [BUNDLER, "unpack", "demo.tar.gz", "-C", str(target)]
    took_s = _ended([BUNDLER, "unpack", "demo.tar.gz", "-C", "reference"], tmp_path)
    for _ in range(KILLS):
        _killed(unpack, tmp_path, took_s)
        assert not (target / "bundle.json").exists() or files_below(target).keys() >= {"bundle.json", *contents}
    # of another bundle, whose staging directory alone is there
    left = target / ".other-0123456789ab.partial"
    left.mkdir(mode=0o700, parents=True)
    (left / "0").write_bytes(b"half")
    _ended(unpack, tmp_path)
    assert files_below(target) == tree_of(made.bundle, made.store.blobs)
    assert _names(target) == _names(tmp_path / "reference")


def test_pushing(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path, filler_bytes=2 * 1024 * 1024)
    before = _names(bundle.root)
    with plain_registry(tmp_path / "reference") as registry:
        took_s = _ended(push_command(registry.host, bundle.root), tmp_path)
    with plain_registry(tmp_path / "registry") as registry:
        command = push_command(registry.host, bundle.root)
        for _ in range(KILLS):
            _killed(command, tmp_path, took_s)
        _ended(command, tmp_path)
        assert {name: skopeo_digest(registry, name) for name in bundle.digests} == bundle.digests
    assert _names(bundle.root) == before


def test_loading(tmp_path: Path) -> None:
    placed = place_images(tmp_path / "made", {APP: (AMD64,)}, filler_bytes=4 * 1024 * 1024)
    root = placed.write_bundle(tmp_path / "root")
    before = _names(root)
    command = [BUNDLER, "load-images", f"--root={root}"]
    with docker_engine(tmp_path / "engine") as engine:
        where = f"unix://{engine.socket}"
        took_s = _ended(command, tmp_path, DOCKER_HOST=where)
        for _ in range(KILLS):
            engine.emptied()
            _killed(command, tmp_path, took_s, DOCKER_HOST=where)
            _ended(command, tmp_path, DOCKER_HOST=where)
            assert engine.docker("images", "-q", "--no-trunc").split() == [placed.ids[APP]["linux/amd64"]]
        engine.emptied()
    assert _names(root) == before
