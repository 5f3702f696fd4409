"""Commands that are killed at random moments: the next run ends as if nothing had been, and nothing is left over.

KILLS (a number) makes it longer.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker_engine import docker_engine
from tests.integration.killed_runs import BUNDLER, KILLS, ended, killed, names_below, write_manifest
from tests.integration.placed_images import AMD64, place_images
from tests.integration.pushed_bundle import push_command, skopeo_digest, small_bundle
from tests.integration.registries import plain_registry
from tests.unit.archive.bundles import files_below, sample, tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.integration
APP = "docker.io/demo/app:1"


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
        write_manifest(directory, "demo")
        write_manifest(directory, "other")
    build = [BUNDLER, "build", "demo.yaml", "-o", "out/", "--store", "store"]
    other = [BUNDLER, "build", "other.yaml", "-o", "out/", "--store", "store"]
    for command in (other, build):
        took_s = max(took_s, ended(command, reference))
    shape, wanted = _shape(reference / "store"), (reference / "out/demo.tar.gz").read_bytes()
    ended(other, place)
    for number in range(KILLS):
        if number % 4 == 0:
            (place / "demo.lock.json").unlink(missing_ok=True)
        killed(build if number % 3 else other, place, took_s)
    ended(build, place)
    assert (place / "out/demo.tar.gz").read_bytes() == wanted
    assert names_below(place / "out") == names_below(reference / "out")
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
    took_s = ended([BUNDLER, "unpack", "demo.tar.gz", "-C", "reference"], tmp_path)
    for _ in range(KILLS):
        killed(unpack, tmp_path, took_s)
        assert not (target / "bundle.json").exists() or files_below(target).keys() >= {"bundle.json", *contents}
    # of another bundle, whose staging directory alone is there
    left = target / ".other-0123456789ab.partial"
    left.mkdir(mode=0o700, parents=True)
    (left / "0").write_bytes(b"half")
    ended(unpack, tmp_path)
    assert files_below(target) == tree_of(made.bundle, made.store.blobs)
    assert names_below(target) == names_below(tmp_path / "reference")


def test_pushing(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path, filler_bytes=2 * 1024 * 1024)
    before = names_below(bundle.root)
    with plain_registry(tmp_path / "reference") as registry:
        took_s = ended(push_command(registry.host, bundle.root), tmp_path)
    with plain_registry(tmp_path / "registry") as registry:
        command = push_command(registry.host, bundle.root)
        for _ in range(KILLS):
            killed(command, tmp_path, took_s)
        ended(command, tmp_path)
        assert {name: skopeo_digest(registry, name) for name in bundle.digests} == bundle.digests
    assert names_below(bundle.root) == before


def test_loading(tmp_path: Path) -> None:
    placed = place_images(tmp_path / "made", {APP: (AMD64,)}, filler_bytes=4 * 1024 * 1024)
    root = placed.write_bundle(tmp_path / "root")
    before = names_below(root)
    command = [BUNDLER, "load-images", f"--root={root}"]
    with docker_engine(tmp_path / "engine") as engine:
        where = f"unix://{engine.socket}"
        took_s = ended(command, tmp_path, DOCKER_HOST=where)
        for _ in range(KILLS):
            engine.emptied()
            killed(command, tmp_path, took_s, DOCKER_HOST=where)
            ended(command, tmp_path, DOCKER_HOST=where)
            assert engine.docker("images", "-q", "--no-trunc").split() == [placed.ids[APP]["linux/amd64"]]
        engine.emptied()
    assert names_below(root) == before
