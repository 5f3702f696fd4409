"""Which bundle gives what to a merged one, where deltas build on deltas."""

from __future__ import annotations

from bundler.model.bundle import BundleIndex, IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.delta_mark import Mark
from bundler.model.digest import Blob, Digest
from bundler.model.patch_recipe import PatchRecipe, PatchWindow
from bundler.pipeline.merge_plan import MergedSource, merge_plan

PATCH = Blob.of(b"patch")
WINDOW = PatchWindow(base_offset=0, base_bytes=8, result_bytes=8, patch_bytes=PATCH.size)


def whole(path: str, content: bytes) -> IndexedFile:
    return IndexedFile(BundlePath(path), Blob.of(content), 0o644, "file")


def patched(path: str, content: bytes, *, base: bytes) -> IndexedFile:
    recipe = PatchRecipe(Digest.sha256(base), "plain", PATCH, (WINDOW,))
    return IndexedFile(BundlePath(path), Blob.of(content), 0o644, "file", mark=Mark(0, 0, recipe))


def left_out(path: str, content: bytes) -> IndexedFile:
    return IndexedFile(BundlePath(path), Blob.of(content), 0o644, "file", mark=Mark(0, 0))


def source(*files: IndexedFile) -> MergedSource:
    index = BundleIndex("demo", "", Digest.sha256(b"manifest"), Digest.sha256(b"lock"), (), files)
    return MergedSource(index, in_archive=True)


def test_a_patch_keeps_its_base_where_an_older_one_of_the_same_base_has_none() -> None:
    last = source(patched("a", b"a 4", base=b"shared"), left_out("b", b"b 2"))
    earlier = [
        source(whole("a", b"shared"), left_out("b", b"b 2")),
        # its base has gone with the bundle before it, which nobody gives
        source(patched("b", b"b 2", base=b"shared")),
        source(whole("b", b"b 2")),
    ]
    plan = merge_plan(last, lambda: iter(earlier))
    assert plan.missing == ()
    made = [share.made for share in plan.taken]
    assert made == [frozenset(), frozenset(), frozenset(), frozenset({Blob.of(b"a 4")})]
    assert [len(share.whole) for share in plan.taken] == [1, 0, 1, 0]
