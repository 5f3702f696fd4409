"""Two releases below one root, by the real commands: from a file and from a pipe; seen, chosen, taken away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.archive.bundles import CONTENTS, sample

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.integration
BUNDLER = str(Path(sys.executable).with_name("bundler"))
WITHIN_S = 120


def made(directory: Path, name: str, contents: Mapping[str, bytes]) -> str:
    """Write an archive and return the bundle's directory name."""
    bundle = sample(directory / f"{name}.store", contents)
    bundle.write(directory / f"{name}.tar.gz")
    return f"demo-{bundle.bundle.id[:12]}"


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    """Two archives, one.tar.gz and two.tar.gz; the names of their directories."""
    return made(tmp_path, "one", CONTENTS), made(tmp_path, "two", {**CONTENTS, "harbor/more": b"more"})


def bundler(directory: Path, *words: str, stdin: bytes = b"", code: int = 0, **variables: str) -> dict[str, Any]:
    """Run a command with --json in a directory; return its answer."""
    done = subprocess.run(
        [BUNDLER, *words, "--json"],
        cwd=directory,
        input=stdin,
        env={**os.environ, **variables},
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def test_a_release_comes_is_chosen_and_goes(tmp_path: Path, two: tuple[str, str]) -> None:
    one, other = two
    bundler(tmp_path, "unpack", "one.tar.gz", "--root", "root", "--activate")
    piped = bundler(tmp_path, "unpack", "-", "--root", "root", stdin=(tmp_path / "two.tar.gz").read_bytes())
    assert piped["linked_bytes"] > 0
    assert bundler(tmp_path, "verify", f"root/{other}")["intact"]
    listed = {entry["directory"]: entry for entry in bundler(tmp_path, "bundles", "--root", "root")["bundles"]}
    assert {name: entry["active"] for name, entry in listed.items()} == {one: True, other: False}
    assert all(entry["verified_s"] for entry in listed.values())
    # as the mirror's service would have it in its environment
    answer = bundler(tmp_path, "activate", other, BUNDLER_ROOT="root")
    assert (answer["active"], answer["before"]) == (other, one)
    assert bundler(tmp_path, "remove", other, "--root", "root", code=9)["id"] == "bundle-active"
    assert not bundler(tmp_path, "activate", other, "--root", "root")["changed"]
    bundler(tmp_path, "remove", one, "--root", "root")
    bundler(tmp_path, "remove", other, "--root", "root", "--deactivate")
    assert bundler(tmp_path, "bundles", "--root", "root")["bundles"] == []


def test_what_nobody_could_serve_is_not_made_active(tmp_path: Path, two: tuple[str, str]) -> None:
    one, other = two
    bundler(tmp_path, "unpack", "one.tar.gz", "--root", "root", "--activate")
    bundler(tmp_path, "unpack", "two.tar.gz", "--root", "root")
    index = tmp_path / "root" / other / "bundle.json"
    index.write_bytes(index.read_bytes()[:-20])
    assert bundler(tmp_path, "activate", other, "--root", "root", code=5)["id"] == "bundle-damaged"
    assert (tmp_path / "root/current").readlink() == Path(one)


def test_where_the_link_would_be_is_looked_at_before_anything_is_unpacked(tmp_path: Path, two: tuple[str, str]) -> None:
    (tmp_path / "root/current").mkdir(parents=True)
    refused = bundler(tmp_path, "unpack", "one.tar.gz", "--root", "root", "--activate", code=9)
    assert refused["id"] == "bundle-current-taken"
    assert {path.name for path in (tmp_path / "root").iterdir()} == {"current"}
    assert two


def test_a_pipe_is_read_as_a_file_is(tmp_path: Path, two: tuple[str, str]) -> None:
    archive = (tmp_path / "one.tar.gz").read_bytes()
    assert bundler(tmp_path, "verify", "-", stdin=archive) == bundler(tmp_path, "verify", "one.tar.gz")
    assert bundler(tmp_path, "verify", "-", stdin=archive[:-1000], code=5)["id"] == "bundle-damaged"
    assert bundler(tmp_path, "unpack", "-", "-C", "x", stdin=b"", code=6)["id"] == "bundle-invalid"
    assert bundler(tmp_path, "unpack", "-", "-C", "x", stdin=b"no gzip at all", code=6)["id"] == "bundle-invalid"
    assert not (tmp_path / "x").exists()
    assert two


def test_a_directory_of_the_environment_gives_way_to_the_command_line(tmp_path: Path, two: tuple[str, str]) -> None:

    answer = bundler(tmp_path, "unpack", "one.tar.gz", "-C", "alone", BUNDLER_ROOT="root")
    assert answer["directory"] == "alone"
    assert Path(bundler(tmp_path, "unpack", "one.tar.gz", BUNDLER_ROOT="root")["directory"]).name == two[0]
    assert bundler(tmp_path, "unpack", "one.tar.gz", "-C", "alone", "--root", "root", code=2)["id"] == "usage"
    assert bundler(tmp_path, "unpack", "one.tar.gz", "--id", "123", "-C", "alone", code=2)["id"] == "usage"
