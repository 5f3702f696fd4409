"""What makes deltas, parts and parity is killed at random moments: the next run ends as if nothing had been.

KILLS (a number) makes it longer.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.integration.killed_runs import BUNDLER, KILLS, ended, killed, names_below, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.integration
SPLIT = ("--parity", "30%")


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two releases, a delta between them, and a key."""
    directory = tmp_path_factory.mktemp("works")
    for name, changed in (("old", 0), ("new", 10)):
        write_manifest(directory, name, changed=changed)
        ended([BUNDLER, "build", f"{name}.yaml", "-o", f"{name}.tar.gz", "--store", "store"], directory)
    ended([BUNDLER, "build", "new.yaml", "-o", "delta.tar.gz", "--store", "store", "--base", "old.tar.gz"], directory)
    ended([BUNDLER, "keygen", "alice"], directory)
    return directory


def contents(directory: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def goes_on(place: Path, reference: Path, command: list[str], spoil: Callable[[Path], None] | None = None) -> None:
    """Run a command with `out` as its output in one directory, and kill it again and again in the other."""
    for directory in (reference, place):
        (directory / "out").mkdir(parents=True)
    if spoil is not None:
        spoil(reference / "out")
    took_s = ended(command, reference)
    for _ in range(KILLS):
        if spoil is not None:
            spoil(place / "out")
        killed(command, place, took_s)
    ended(command, place)
    assert contents(place / "out") == contents(reference / "out")
    # nothing is left beside what was asked for either
    assert names_below(place) == names_below(reference)


def test_building_a_signed_delta_in_parts(works: Path, tmp_path: Path) -> None:
    command = [BUNDLER, "build", str(works / "new.yaml"), "-o", "out/", "--store", str(works / "store"), *SPLIT]
    command += ["--base", str(works / "old.tar.gz"), "--split", "256KiB", "--sign", str(works / "alice.key"), "--sbom"]
    goes_on(tmp_path / "place", tmp_path / "reference", command)


def test_merging(works: Path, tmp_path: Path) -> None:
    sources = [str(works / name) for name in ("old.tar.gz", "delta.tar.gz")]
    command = [BUNDLER, "merge", *sources, "-o", "out/", "--sign", str(works / "alice.key")]
    goes_on(tmp_path / "place", tmp_path / "reference", command)


def test_splitting(works: Path, tmp_path: Path) -> None:
    command = [BUNDLER, "split", str(works / "new.tar.gz"), "--size", "300KiB", "-o", "out", *SPLIT]
    goes_on(tmp_path / "place", tmp_path / "reference", command)


def test_repairing(works: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    ended([BUNDLER, "split", str(works / "new.tar.gz"), "--size", "300KiB", "-o", str(whole), *SPLIT], works)

    def spoil(directory: Path) -> None:
        shutil.copytree(whole, directory, dirs_exist_ok=True)
        (directory / "new.tar.gz.001").unlink()
        part = directory / "new.tar.gz.002"
        part.write_bytes(bytes(1000) + part.read_bytes()[1000:])

    goes_on(tmp_path / "place", tmp_path / "reference", [BUNDLER, "repair", "out"], spoil)
    assert contents(tmp_path / "place" / "out") == contents(whole)
