"""The man pages, written by the script and read by mandoc and by groff's man."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def written(directory: Path, **environment: str) -> dict[str, bytes]:
    subprocess.run([ROOT / "scripts/man-pages", directory], check=True, env={**os.environ, **environment})
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("man") / "man1"
    written(directory)
    return directory


def test_they_are_the_same_in_any_surroundings(directory: Path, tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in directory.iterdir()}
    surroundings = {
        "LC_ALL": "zh_CN.UTF-8",
        "COLUMNS": "40",
        "PYTHONHASHSEED": "7",
        "HOME": "/nowhere",
        "NO_COLOR": "1",
    }
    assert written(tmp_path / "again", **surroundings) == first
    assert len(first) > 40


def test_mandoc_finds_nothing_wrong(directory: Path) -> None:
    pages = sorted(path.name for path in directory.iterdir())
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", *pages], capture_output=True, text=True, check=False, cwd=directory
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_groff_warns_of_nothing(directory: Path) -> None:
    warned = {
        path.name: done.stderr
        for path in directory.iterdir()
        if (
            done := subprocess.run(
                ["groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z", path], capture_output=True, text=True, check=True
            )
        ).stderr
    }
    assert warned == {}


def test_a_page_can_be_read(directory: Path) -> None:
    page = directory / "bundler-build.1"
    shown = subprocess.run(["mandoc", "-T", "ascii", page], capture_output=True, text=True, check=True).stdout
    plain = subprocess.run(["col", "-b"], input=shown, capture_output=True, text=True, check=True).stdout
    assert "bundler-build - Build the archive that MANIFEST describes" in plain
    assert "--keep-going" in plain
    assert "BUNDLER_KEEP_GOING" in plain
