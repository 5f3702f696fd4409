"""Formats are never broken: a bundle of every format version is read by every later version of the tool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_archive, verify_tree
from bundler.model.lock import encode_lock
from bundler.model.progress import Unwatched
from bundler.pipeline.merging import MergeRequest, merge
from bundler.pipeline.opened_lock import read_contents
from bundler.source.open_source import open_source
from tests.fakes.progress import RecordingProgress
from tests.sources import open_bundle, unpack

if TYPE_CHECKING:
    from bundler.pipeline.opened_lock import BundleSummary

BUNDLES = Path(__file__).parents[1] / "data" / "bundles"
# what each was when it was put here; an id is the SHA-256 of bundle.json
IDS = {"format-1.tar.gz": "a1f639fd89db4db87612dd2f60e6e6ddc4c556614f3cbddcd3b808840c0b6776"}

# a base, the deltas that were built on it, and what each is: its own id, and that of the full bundle it leads to
DELTAS = BUNDLES.with_name("deltas")
DELTA_IDS = {
    "format-1.tar.gz": (
        "34ffd6ca0492",
        "637504d86fb6",
        "sha256:7cf24ed44898eeaed6d20930d18bae48a3366320b5a3dfff19887872e9fa58b1",
    )
}


def opened(name: str) -> BundleSummary:
    bundle = read_contents(str(BUNDLES / name)).bundle
    assert bundle is not None
    return bundle


def test_every_bundle_that_lies_here_is_read() -> None:
    assert sorted(path.name for path in BUNDLES.iterdir()) == sorted(IDS)


@pytest.mark.parametrize("name", IDS)
def test_it_is_still_the_same_bundle(name: str) -> None:
    assert opened(name).id == IDS[name]
    assert verify_archive(BUNDLES / name, Unwatched()).intact


@pytest.mark.parametrize("name", IDS)
def test_its_lock_is_read_and_written_without_a_change(name: str) -> None:
    contents = read_contents(str(BUNDLES / name))
    assert encode_lock(contents.lock) == open_bundle(BUNDLES / name).lock.read()
    assert {entry.kind for entry in contents.lock.entries} == {"files", "images"}


@pytest.mark.parametrize("name", IDS)
def test_it_unpacks_and_verifies(name: str, tmp_path: Path) -> None:
    unpack(BUNDLES / name, tmp_path / "site", Unwatched())
    assert verify_tree(tmp_path / "site", Unwatched(), strict=True).intact


@pytest.mark.parametrize("name", IDS)
def test_its_own_description_comes_first(name: str) -> None:
    listed = subprocess.run(["tar", "-tzf", BUNDLES / name], capture_output=True, text=True, check=True, timeout=60)
    assert listed.stdout.split()[:4] == ["bundle.json", "SHA256SUMS", "manifest.yaml", "lock.json"]


@pytest.mark.parametrize("name", DELTA_IDS)
def test_a_delta_is_still_completed_and_merged(name: str, tmp_path: Path) -> None:
    own, full, archive = DELTA_IDS[name]
    for path in (DELTAS / "base.tar.gz", DELTAS / name):
        with open_source(str(path)) as reader:
            tree = unpack_beside(reader, tmp_path / "site", Unwatched()).directory
    assert tree.name == f"kept-{own}"
    assert verify_tree(tree, Unwatched(), strict=True).intact
    sources = [str(DELTAS / "base.tar.gz"), str(DELTAS / name)]
    merged = merge(MergeRequest(sources, str(tmp_path / "full.tar.gz"), open_source, open_source), RecordingProgress())
    assert (merged.bundle_id[:12], str(merged.archive.digest)) == (full, archive)
