"""Patches of a delta: applied to a base's file below a root, held to their recipes, and refused where either lies."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.archive.delta_marks import DeltaMarks
from bundler.archive.verify import verify_archive
from bundler.archive.verify_report import require_intact
from bundler.delta.making import make_patch
from bundler.errors import BundleFormatError, ErrorId, IntegrityError
from bundler.model.bundle_path import BundlePath
from bundler.model.delta_mark import Base, Mark, patch_path
from bundler.model.digest import Blob
from bundler.model.patch_recipe import PatchRecipe, Recompression
from bundler.model.placement import Placement
from bundler.source.open_source import open_source
from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryStore
from tests.unit.archive.bundles import CONTENTS, files_below, sample
from tests.unit.archive.deltas import beside, write_delta

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OLD = random.Random(5).randbytes(200_000)
NEW = OLD[:50_000] + b"mended" + OLD[50_000:]
PATHS = ("kubeedge/first", "kubeedge/second")
RANDOM_CONTENTS = random.Random(6).randbytes(1 << 20)


def base(directory: Path) -> str:
    """Write base.tar.gz, whose file has another name, and return the bundle's id."""
    made = sample(directory / "old", {**CONTENTS, "old/file": OLD}, name="old")
    made.write(directory / "base.tar.gz")
    return made.bundle.id


def recipe_and_patch(directory: Path, old: bytes = OLD, new: bytes = NEW) -> tuple[PatchRecipe, bytes]:
    (directory / "a").write_bytes(old)
    (directory / "b").write_bytes(new)
    out = io.BytesIO()
    recipe = make_patch(directory / "a", directory / "b", out)
    assert recipe is not None
    return recipe, out.getvalue()[: recipe.patch.size]


def write(directory: Path, recipes: Mapping[str, PatchRecipe], patch: bytes, content: bytes = NEW) -> Path:
    """Write delta.tar.gz, in which each path is made by a recipe of the one patch."""
    store = MemoryStore(directory / "store")
    blob = store.put(content)
    placements = [Placement(BundlePath(path), blob, "files", mtime=1_600_000_000) for path in recipes]
    marks = {path: Mark(0, 1_600_000_000, recipe) for path, recipe in recipes.items()}
    delta = DeltaMarks((Base(base(directory)),), marks)
    member = Placement(patch_path(blob.digest), patch, "bundle")
    write_delta(directory / "delta.tar.gz", placements, delta, store, patches=(member,))
    return directory / "delta.tar.gz"


def test_one_patch_makes_each_path_of_its_content(tmp_path: Path) -> None:
    recipe, patch = recipe_and_patch(tmp_path)
    archive = write(tmp_path, dict.fromkeys(PATHS, recipe), patch)
    task = RecordingTask()
    report = verify_archive(archive, task)
    require_intact(report)
    assert report.left[0].files == len(PATHS)
    with open_source(str(archive)) as reader:
        assert set(reader.checked.patched) == {patch_path(Blob.of(NEW).digest)}
    beside(tmp_path / "base.tar.gz", tmp_path / "opt")
    tree = beside(archive, tmp_path / "opt").directory
    found = files_below(tree)
    assert {found[path] for path in PATHS} == {NEW}
    assert not any(path.startswith("@") for path in found)
    assert {(tree / path).stat().st_mtime for path in PATHS} == {1_600_000_000}
    # and where one of them was lost, from the patch again
    (tree / PATHS[0]).unlink()
    assert files_below(beside(archive, tmp_path / "opt").directory) == found


def test_what_a_patch_leads_to_is_copied_where_a_bundle_has_it_and_the_base_is_gone(tmp_path: Path) -> None:
    recipe, patch = recipe_and_patch(tmp_path)
    archive = write(tmp_path, dict.fromkeys(PATHS, recipe), patch)
    sample(tmp_path / "full", {"kubeedge/third": NEW}, name="full").write(tmp_path / "full.tar.gz")
    there = beside(tmp_path / "full.tar.gz", tmp_path / "opt").directory
    # neither linked, nor made of what it is there
    (there / "kubeedge/third").chmod(0o600)
    found = files_below(beside(archive, tmp_path / "opt").directory)
    assert {found[path] for path in PATHS} == {NEW}


def test_another_patch_than_the_listed_one_is_found(tmp_path: Path) -> None:
    recipe, patch = recipe_and_patch(tmp_path)
    archive = write(tmp_path, {PATHS[0]: recipe}, patch[:-1] + bytes([patch[-1] ^ 1]))
    assert verify_archive(archive, RecordingTask()).changed == (patch_path(Blob.of(NEW).digest),)
    refused(tmp_path, archive, ErrorId.BUNDLE_DAMAGED)


def test_a_patch_that_does_not_fit_its_base_makes_nothing(tmp_path: Path) -> None:
    recipe, patch = recipe_and_patch(tmp_path, old=OLD, new=NEW)
    other = replace(recipe, base=Blob.of(CONTENTS["kubeedge/random.tar.gz"]).digest)
    refused(tmp_path, write(tmp_path, {PATHS[0]: other}, patch), ErrorId.BUNDLE_DAMAGED)


def test_contents_that_become_more_than_is_listed_are_cut_off(tmp_path: Path) -> None:
    recipe, patch = recipe_and_patch(tmp_path, new=OLD + RANDOM_CONTENTS[:60_000])
    more = replace(recipe, recompression=Recompression("zlib", bytes.fromhex("1f8b0800000000000003"), 1))
    error = refused(tmp_path, write(tmp_path, {PATHS[0]: more}, patch, content=b"x" * 5000), ErrorId.BUNDLE_DAMAGED)
    assert "more than 5000 bytes" in str(error)


def refused(directory: Path, archive: Path, error_id: ErrorId) -> IntegrityError:
    beside(directory / "base.tar.gz", directory / "opt")
    there = files_below(directory / "opt")
    with pytest.raises(IntegrityError) as caught:
        beside(archive, directory / "opt")
    assert caught.value.id is error_id
    assert files_below(directory / "opt") == there
    return caught.value


def test_two_recipes_for_one_content_make_no_index(tmp_path: Path) -> None:
    recipe, patch = recipe_and_patch(tmp_path)
    other = replace(recipe, base=Blob.of(b"another").digest)
    archive = write(tmp_path, {PATHS[0]: recipe, PATHS[1]: other}, patch)
    with pytest.raises(BundleFormatError, match="two recipes"):
        verify_archive(archive, RecordingTask())
