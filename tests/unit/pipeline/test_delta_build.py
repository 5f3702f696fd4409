"""Building with --base: what a lock, an index, an archive or a tree vouches for is neither fetched nor carried."""

from __future__ import annotations

import io
import random
import shutil
import tarfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_files import archive_files
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_archive, verify_tree
from bundler.archive.verify_report import require_intact
from bundler.carry.part_writer import parts_output
from bundler.carry.splitting import split_archive
from bundler.errors import BundleFormatError, ErrorId, IntegrityError, ManifestError, StorageError
from bundler.model.bundle import INDEX_PATH, LOCK_PATH
from bundler.model.delta_mark import Base
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched
from bundler.model.subset import Choice
from bundler.pipeline.bases import open_bases
from bundler.pipeline.building import build, plan_build, update_lock
from bundler.pipeline.context import Request
from bundler.pipeline.opened_lock import lock_path
from bundler.source.open_source import open_source
from tests.fakes.build_context import build_context
from tests.fakes.notes import NotesKind
from tests.fakes.store import MemoryStore
from tests.unit.archive.bundles import files_below

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.pipeline.assembling import Built
    from bundler.pipeline.context import BuildContext

GIB = 1 << 30
MANIFEST = "version: 1\nname: demo\nnotes: [a, b, c]\n"


@dataclass(slots=True)
class Works:
    """A manifest of notes, and what is upstream."""

    directory: Path
    notes: NotesKind = field(default_factory=lambda: NotesKind({"a": "one", "b": "two", "c": "three"}))
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.directory / "store")
        (self.directory / "out").mkdir()
        self.request.manifest.write_text(MANIFEST)

    @property
    def request(self) -> Request:
        return Request(self.directory / "m.yaml", {}, output=str(self.directory / "out"))

    def context(self) -> BuildContext:
        return build_context(self.directory, self.notes, store=self.store, free_bytes=GIB)

    def build(self, name: str, *bases: Path) -> Built:
        context = self.context()
        opened = open_bases([*map(str, bases)], context.decoders)
        return build(replace(self.request, output=str(self.directory / name), bases=opened), context)

    def update(self, note: str, text: str) -> None:
        self.notes.upstream[note] = text
        update_lock(self.request, self.context(), [note])


@pytest.fixture
def works(tmp_path: Path) -> Works:
    return Works(tmp_path)


def carried(built: Built) -> set[str]:
    with tarfile.open(built.path) as archive:
        return set(archive.getnames())


def base_of(works: Works, form: str) -> Path:
    """Build a bundle, and return it in one of the forms that --base takes."""
    built = works.build("base.tar.gz")
    tree = works.directory / "opt"
    with open_source(str(built.path)) as reader:
        directory = unpack_beside(reader, tree, Unwatched()).directory
    return {"archive": built.path, "tree": directory, "index": directory / INDEX_PATH}[form]


@pytest.mark.parametrize("form", ["archive", "tree", "index"])
def test_what_the_base_has_is_not_carried(works: Works, form: str) -> None:
    base = base_of(works, form)
    works.update("b", "two, mended")
    built = works.build("delta.tar.gz", base)
    assert carried(built) & {"a", "b", "c"} == {"b"}
    require_intact(verify_archive(built.path, Unwatched()))
    full = works.build("full.tar.gz")
    with open_source(str(built.path)) as reader:
        tree = unpack_beside(reader, works.directory / "opt", Unwatched()).directory
    with open_source(str(full.path)) as reader:
        other = unpack_beside(reader, works.directory / "other", Unwatched()).directory
    ours, theirs = files_below(tree), files_below(other)
    assert {path: data for path, data in ours.items() if path not in ("bundle.json", "SHA256SUMS")} == {
        path: data for path, data in theirs.items() if path not in ("bundle.json", "SHA256SUMS")
    }
    assert works.build("again.tar.gz", base).archive == built.archive


def test_a_lock_vouches_for_its_artifacts_and_for_each_bundle_of_it(works: Works) -> None:
    works.build("base.tar.gz")
    old = works.directory / "old.lock.json"
    old.write_bytes(lock_path(works.request.manifest).read_bytes())
    works.update("b", "two, mended")
    built = works.build("delta.tar.gz", old)
    assert carried(built) & {"a", "b", "c", LOCK_PATH} == {"b", LOCK_PATH}
    assert built.bases == (Base(lock=Digest.sha256(old.read_bytes())),)
    with open_source(str(works.directory / "base.tar.gz")) as reader:
        assert reader.checked.index.lock == built.bases[0].lock


def test_several_bases_share_the_work_and_one_named_twice_counts_once(works: Works) -> None:
    first = works.build("first.tar.gz").path
    works.update("b", "two, mended")
    second = works.build("second.tar.gz").path
    works.update("c", "three, mended")
    built = works.build("delta.tar.gz", first, second, first)
    assert len(built.bases) == 2
    assert carried(built) & {"a", "b", "c"} == {"c"}
    with open_source(str(built.path)) as reader:
        numbers = {file.path: file.mark.base for file in reader.checked.index.files if file.mark}
    assert numbers == {"a": 0, "b": 1}


def test_what_is_neither_carried_nor_read_is_not_fetched(works: Works) -> None:
    base = base_of(works, "archive")
    works.update("b", "two, mended")
    works.store.blobs.clear()
    works.notes.fetched.clear()
    built = works.build("delta.tar.gz", base)
    assert works.notes.fetched == ["b"]
    assert built.fetched_bytes == len("two, mended")
    assert (built.left_out, built.files) == (2, 7)


def test_a_plan_says_what_has_to_be_carried_by_kind_and_needs_a_lock(works: Works) -> None:
    base = base_of(works, "archive")
    works.update("b", "two, mended")
    plan, _, _ = plan_build(replace(works.request, bases=open_bases([str(base)])), works.context())
    [share] = plan.shares
    assert (share.kind, share.carried_bytes, share.left_bytes) == ("notes", len("two, mended"), len("onethree"))
    lock_path(works.request.manifest).unlink()
    with pytest.raises(ManifestError) as caught:
        plan_build(replace(works.request, bases=open_bases([str(base)])), works.context())
    assert caught.value.id is ErrorId.LOCK_MISSING


def test_a_changed_file_is_a_patch_against_the_old_one(works: Works) -> None:
    before = random.Random(5).randbytes(200_000).hex()
    works.notes.upstream["b"] = before
    base = base_of(works, "archive")
    works.update("b", f"{before[:1000]}, mended, {before[1000:]}")
    built = works.build("delta.tar.gz", base)
    new = Digest.sha256(works.notes.upstream["b"].encode()).hex
    assert carried(built) & {"a", "b", "c", f"@delta/{new}"} == {f"@delta/{new}"}
    assert built.carried_bytes < 20_000
    report = verify_archive(built.path, Unwatched())
    require_intact(report)
    assert report.left[0].files == 3
    with open_source(str(built.path)) as reader:
        tree = unpack_beside(reader, works.directory / "opt", Unwatched()).directory
    assert (tree / "b").read_text() == works.notes.upstream["b"]
    require_intact(verify_tree(tree, Unwatched(), strict=True))
    assert works.build("again.tar.gz", base).archive == built.archive
    # of a store that has forgotten it the old one is read in the base itself
    old = Blob.of(before.encode())
    works.store.blobs[old.digest] = bytes(old.size)
    assert works.build("rotted.tar.gz", base).archive == built.archive
    works.store.drop(old)
    assert works.build("third.tar.gz", base).archive == built.archive


def test_a_patch_that_was_damaged_or_whose_base_has_rotted_makes_nothing(works: Works) -> None:
    before = random.Random(5).randbytes(200_000).hex()
    works.notes.upstream["b"] = before
    base = base_of(works, "tree")
    works.update("b", f"{before[:1000]}, mended, {before[1000:]}")
    built = works.build("delta.tar.gz", base)
    (base / "b").write_text(before.replace("a", "b"))
    there = files_below(works.directory / "opt")
    with pytest.raises(IntegrityError, match=f"{base.name}/b") as caught, open_source(str(built.path)) as reader:
        unpack_beside(reader, works.directory / "opt", Unwatched())
    assert caught.value.id is ErrorId.BASE_MISSING
    assert files_below(works.directory / "opt") == there


def test_a_tree_with_a_subset_vouches_for_no_more_than_that(works: Works) -> None:
    built = works.build("base.tar.gz")
    with open_source(str(built.path)) as reader:
        part = unpack_beside(reader, works.directory / "opt", Unwatched(), choice=Choice(only=("a",))).directory
    works.update("b", "two, mended")
    delta = works.build("delta.tar.gz", part)
    assert carried(delta) & {"a", "b", "c"} == {"b", "c"}
    with open_source(str(delta.path)) as reader:
        tree = unpack_beside(reader, works.directory / "opt", Unwatched()).directory
    require_intact(verify_tree(tree, Unwatched(), strict=True))


@pytest.mark.parametrize("first", [True, False])
def test_of_one_bundle_in_two_forms_the_one_with_content_counts(works: Works, first: bool) -> None:
    archive, index = works.build("base.tar.gz").path, works.directory / "index.json"
    with tarfile.open(archive) as tar, index.open("wb") as out:
        shutil.copyfileobj(tar.extractfile(INDEX_PATH) or io.BytesIO(), out)
    [base] = open_bases([str(archive), str(index)] if first else [str(index), str(archive)]).opened
    assert base.source == str(archive)


@pytest.mark.parametrize("named", ["out", "out/demo.tar.gz.000", "out/demo.tar.gz.parts.sha256"])
def test_parts_that_a_delta_is_made_of_stay(works: Works, named: str) -> None:
    base = works.build("out/demo.tar.gz").path
    split_archive(archive_files(base), base, parts_output(500, keep_whole=True), Unwatched())
    base.unlink()
    there = files_below(works.directory / "out")
    with pytest.raises(StorageError, match="would replace"):
        works.build("out/demo.tar.gz", works.directory / named)
    assert files_below(works.directory / "out") == there
    assert works.build("delta.tar.gz", works.directory / named).left_out == 3


def test_what_is_no_base_is_refused(works: Works) -> None:
    other = works.directory / "other.json"
    other.write_text("{}")
    with pytest.raises(BundleFormatError, match="neither a lock nor a bundle") as caught:
        open_bases([str(other)])
    assert caught.value.id is ErrorId.BUNDLE_NOT_FOUND
