"""A delta and what it builds on are the full archive again, to the byte; what lacks something makes nothing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bundler.archive.unpack_beside import unpack_beside
from bundler.errors import BundleFormatError, BundlerError, ErrorId, IntegrityError, StorageError
from bundler.model.progress import Unwatched
from bundler.model.subset import Choice
from bundler.pipeline.merging import MergeRequest, merge
from bundler.source.open_source import open_source
from tests.fakes.progress import RecordingProgress
from tests.unit.pipeline.test_delta_build import Works

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader
    from bundler.pipeline.merging import Merged

BEFORE = random.Random(5).randbytes(200_000).hex()


@pytest.fixture
def works(tmp_path: Path) -> Works:
    works = Works(tmp_path)
    works.notes.upstream["b"] = BEFORE
    return works


def merged(works: Works, *sources: Path, name: str = "merged.tar.gz") -> Merged:
    request = MergeRequest([*map(str, sources)], str(works.directory / name), open_source, open_source)
    return merge(request, RecordingProgress())


def tree_of(works: Works, archive: Path, root: str) -> Path:
    with open_source(str(archive)) as reader:
        return unpack_beside(reader, works.directory / root, Unwatched()).directory


def mended(text: str, word: str) -> str:
    return f"{text[:1000]}, {word}, {text[1000:]}"


def test_a_delta_and_its_base_are_what_a_full_build_makes(works: Works) -> None:
    base = works.build("base.tar.gz").path
    works.update("b", mended(BEFORE, "mended"))
    works.update("c", "three, mended")
    delta, full = works.build("delta.tar.gz", base), works.build("full.tar.gz")
    built = merged(works, base, delta.path)
    assert built.path.read_bytes() == full.path.read_bytes()
    assert (built.archive, built.bundle_id) == (full.archive, full.bundle_id)
    assert merged(works, tree_of(works, base, "opt"), delta.path, name="tree.tar.gz").archive == full.archive


def test_a_chain_of_deltas_is_followed(works: Works) -> None:
    base = works.build("base.tar.gz").path
    works.update("b", mended(BEFORE, "mended"))
    second = works.build("second.tar.gz").path
    first_delta = works.build("first-delta.tar.gz", base).path
    works.update("b", mended(works.notes.upstream["b"], "once more"))
    works.update("a", "one, mended")
    last = works.build("last-delta.tar.gz", second).path
    full = works.build("full.tar.gz")
    assert merged(works, base, first_delta, last).archive == full.archive
    # also on a site, where the delta between was completed
    tree_of(works, base, "opt")
    tree_of(works, first_delta, "opt")
    tree = tree_of(works, last, "opt")
    assert (tree / "b").read_text() == works.notes.upstream["b"]


def test_a_patch_without_its_base_is_passed_over_where_an_older_bundle_has_what_it_leads_to(works: Works) -> None:
    base = works.build("base.tar.gz").path
    works.update("b", mended(BEFORE, "mended"))
    second = works.build("second.tar.gz").path
    first_delta = works.build("first-delta.tar.gz", base).path
    works.update("a", "one, mended")
    last = works.build("last-delta.tar.gz", second).path
    full = works.build("full.tar.gz")
    assert merged(works, second, first_delta, last).archive == full.archive


def test_a_tree_with_a_subset_gives_that_and_the_rest_is_missing(works: Works) -> None:
    base = works.build("base.tar.gz").path
    with open_source(str(base)) as reader:
        part = unpack_beside(reader, works.directory / "opt", Unwatched(), choice=Choice(only=("a",))).directory
    works.update("b", mended(BEFORE, "mended"))
    delta, full = works.build("delta.tar.gz", base).path, works.build("full.tar.gz")
    with pytest.raises(IntegrityError, match=r"2 files .* b, c") as caught:
        merged(works, part, delta)
    assert caught.value.id is ErrorId.BASE_MISSING
    assert merged(works, base, part, delta).archive == full.archive


def test_what_a_base_does_not_have_is_told_and_nothing_is_left(works: Works) -> None:
    base = works.build("base.tar.gz").path
    works.update("b", mended(BEFORE, "mended"))
    other = works.build("other.tar.gz").path
    works.update("b", mended(works.notes.upstream["b"], "once more"))
    delta = works.build("delta.tar.gz", other).path
    there = {path.name for path in works.directory.iterdir()}
    with pytest.raises(IntegrityError) as caught:
        merged(works, base, delta)
    assert caught.value.id is ErrorId.BASE_MISSING
    assert "too, before the delta" in caught.value.remedy
    with pytest.raises(BundleFormatError, match="no archive of a delta"):
        merged(works, base, other)
    with pytest.raises(StorageError, match="would replace"):
        merged(works, other, delta, name="delta.tar.gz")
    assert {path.name for path in works.directory.iterdir()} == there


def test_a_bundle_that_was_replaced_meanwhile_is_not_taken_for_the_other(works: Works) -> None:
    base = works.build("base.tar.gz").path
    works.update("b", mended(BEFORE, "mended"))
    delta = works.build("delta.tar.gz", base).path
    works.update("c", "three, mended")
    other = works.build("other.tar.gz", base).path
    times = iter((delta, other))

    def opened(_: str) -> AbstractContextManager[BundleReader]:
        return open_source(str(next(times)))

    request = MergeRequest([str(base), str(delta)], str(works.directory / "merged.tar.gz"), open_source, opened)
    with pytest.raises(IntegrityError) as caught:
        merge(request, RecordingProgress())
    assert caught.value.id is ErrorId.BUNDLE_OTHER_ID
    assert not (works.directory / "merged.tar.gz").exists()


@pytest.mark.parametrize("damaged", ["base", "delta"])
def test_a_base_or_a_delta_that_was_damaged_makes_nothing(works: Works, damaged: str) -> None:
    base = works.build("base.tar.gz").path
    works.update("b", mended(BEFORE, "mended"))
    delta = works.build("delta.tar.gz", base).path
    path = {"base": base, "delta": delta}[damaged]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundlerError) as caught:
        merged(works, base, delta)
    assert caught.value.id in (ErrorId.BUNDLE_DAMAGED, ErrorId.ARCHIVE_UNSAFE)
    assert not (works.directory / "merged.tar.gz").exists()
