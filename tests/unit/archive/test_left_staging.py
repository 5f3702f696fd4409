from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from bundler.model.progress import Unwatched
from bundler.model.removed import Removed
from tests.sources import unpack
from tests.unit.archive.bundles import files_below, sample, tree_of

if TYPE_CHECKING:
    from pathlib import Path

HALF = b"half a file" * 1000


def _staged(target: Path, name: str, *files: str) -> None:
    (target / name).mkdir(mode=0o700, parents=True)
    for file in files:
        (target / name / file).write_bytes(HALF)


def test_what_a_killed_run_left_of_whatever_bundle_is_removed(tmp_path: Path) -> None:
    made = sample(tmp_path)
    made.write(tmp_path / "demo.tar.gz")
    target = tmp_path / "opt"
    _staged(target, ".other-0123456789ab.partial", "0", "1")
    unpacked = unpack(tmp_path / "demo.tar.gz", target, Unwatched())
    assert unpacked.removed == Removed(2, 2 * len(HALF))
    assert unpacked.removed.sentence == "removed what interrupted runs had left: 2 files, 21.5 KiB"
    assert files_below(target) == tree_of(made.bundle, made.store.blobs)
    # killed when all had its place: nothing is left to unpack, and still something to remove
    _staged(target, f".demo-{made.bundle.id[:12]}.partial")
    again = unpack(tmp_path / "demo.tar.gz", target, Unwatched())
    assert (again.present, again.removed) == (True, Removed(1, 0))
    assert not list(target.glob(".*"))
    assert unpack(tmp_path / "demo.tar.gz", target, Unwatched()).removed.sentence == ""


@pytest.mark.parametrize("name", [".other-0123456789ab.partial", ".other.partial", "other-0123456789ab.partial"])
def test_what_only_looks_like_it_stays(tmp_path: Path, name: str) -> None:
    made = sample(tmp_path)
    made.write(tmp_path / "demo.tar.gz")
    files = ("0", "notes.txt") if name.startswith(".other-") else ("0",)
    _staged(tmp_path / "opt", name, *files)
    assert unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched()).removed == Removed()
    assert sorted(path.name for path in (tmp_path / "opt" / name).iterdir()) == sorted(files)
    assert made.bundle.files


class Killed(Unwatched):
    """Kills its process in the middle of extraction."""

    def advance(self, count: int) -> None:
        if count:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_run_that_was_killed_loses_its_staging_directory_to_the_next_one(tmp_path: Path) -> None:
    sample(tmp_path).write(tmp_path / "demo.tar.gz")
    other = sample(tmp_path / "other", {"kubeedge/only": b"x" * 100}, name="other")
    other.write(tmp_path / "other.tar.gz")
    child = os.fork()
    if child == 0:
        unpack(tmp_path / "other.tar.gz", tmp_path / "opt", Killed())
        os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert len(list((tmp_path / "opt").iterdir())) == 1
    assert unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched()).removed.count >= 1
    assert not list((tmp_path / "opt").glob(".*"))
