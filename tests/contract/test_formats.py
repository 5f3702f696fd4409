"""Formats are never broken: a bundle of every format version is read by every later version of the tool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_archive, verify_tree
from bundler.model.lock import encode_lock
from bundler.model.progress import Unwatched
from bundler.pipeline.opened_lock import read_contents
from tests.sources import open_bundle, unpack

if TYPE_CHECKING:
    from bundler.pipeline.opened_lock import BundleSummary

BUNDLES = Path(__file__).parents[1] / "data" / "bundles"
# what each was when it was put here; an id is the SHA-256 of bundle.json
IDS = {"format-1.tar.gz": "a1f639fd89db4db87612dd2f60e6e6ddc4c556614f3cbddcd3b808840c0b6776"}


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
    assert encode_lock(contents.lock) == open_bundle(BUNDLES / name).lock
    assert {entry.kind for entry in contents.lock.entries} == {"files", "images"}


@pytest.mark.parametrize("name", IDS)
def test_it_unpacks_and_verifies(name: str, tmp_path: Path) -> None:
    unpack(BUNDLES / name, tmp_path / "site", Unwatched())
    assert verify_tree(tmp_path / "site", Unwatched(), strict=True).intact


@pytest.mark.parametrize("name", IDS)
def test_its_own_description_comes_first(name: str) -> None:
    listed = subprocess.run(["tar", "-tzf", BUNDLES / name], capture_output=True, text=True, check=True, timeout=60)
    assert listed.stdout.split()[:4] == ["bundle.json", "SHA256SUMS", "manifest.yaml", "lock.json"]
