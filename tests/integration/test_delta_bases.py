"""What `build --base` does with bases that it cannot read as it has to, by the real command."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.integration.json_answers import bundler
from tests.integration.test_deltas import small_disk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
OLD = random.Random(4).randbytes(20_000_000)
NEW = OLD[:300_000]


@pytest.fixture
def works(tmp_path: Path) -> Path:
    """A directory with old.tar.gz, and a manifest of the next release."""
    for release, content in (("old", OLD), ("new", NEW)):
        (tmp_path / f"{release}.bin").write_bytes(content)
        lines = ("version: 1", "name: site", "files:", f"  - {{path: program, url: {release}.bin}}")
        (tmp_path / f"{release}.yaml").write_text("\n".join(lines) + "\n")
    bundler(tmp_path, "build", "old.yaml", "--store", "store", "-o", "old.tar.gz")
    return tmp_path


def test_a_disk_without_room_for_old_content_is_told_and_not_the_base_blamed(works: Path) -> None:
    with small_disk(works / "small", "10m") as disk:
        command = ("build", "new.yaml", "--store", "cold", "-o", "small/delta.tar.gz", "--base", "old.tar.gz")
        assert bundler(works, *command, code=11)["id"] == "disk-full"
        assert list(disk.iterdir()) == []
    built = bundler(works, "build", "new.yaml", "--store", "cold", "-o", "delta.tar.gz", "--base", "old.tar.gz")
    assert built["carried_bytes"] < len(NEW) / 10


def test_no_base_comes_from_a_pipe_that_is_read_once(works: Path) -> None:
    refused = bundler(works, "build", "new.yaml", "--store", "cold", "-o", "delta.tar.gz", "--base", "-", code=2)
    assert "read twice" in refused["what"]
    assert not (works / "delta.tar.gz").exists()


def test_an_option_that_wants_a_base_is_refused_without_one(works: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = ("build", "new.yaml", "--store", "store", "-o", "new.tar.gz")
    assert "--no-patches goes with --base" in bundler(works, *build, "--no-patches", code=2)["what"]
    assert not (works / "new.tar.gz").exists()
    monkeypatch.setenv("BUNDLER_NO_PATCHES", "1")
    bundler(works, *build)
