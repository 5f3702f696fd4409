from __future__ import annotations

import hashlib

import pytest

from bundler.archive.bundle_files import path_problems
from bundler.errors import ManifestError
from bundler.model.about import FileAbout
from bundler.model.artifact import HeldTo
from bundler.model.bundle import decode_index
from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement
from tests.unit.archive.bundles import bundle_of

ABOUT = FileAbout("https://example.org/x", HeldTo("first-use"))


def _placement(path: str, data: bytes = b"x") -> Placement:
    return Placement(BundlePath(path), data, "files", mode=0o755, about=ABOUT)


def test_the_bundle_lists_everything_but_its_index_and_sums() -> None:
    bundle = bundle_of([_placement("b"), _placement("a")])
    texts = {file.path: file.content for file in bundle.files}
    index_text = texts[BundlePath("bundle.json")]
    assert isinstance(index_text, bytes)
    index = decode_index(index_text, where="test")
    assert [file.path for file in index.files] == ["a", "b", "lock.json", "manifest.yaml"]
    assert index == bundle.index
    assert index.files[0].about == ABOUT
    assert bundle.id == hashlib.sha256(index_text).hexdigest()


def test_the_sums_cover_every_path_but_their_own() -> None:
    bundle = bundle_of([_placement("a", b"content")])
    texts = {str(file.path): file.content for file in bundle.files}
    sums = texts["SHA256SUMS"]
    assert isinstance(sums, bytes)
    lines = {path: digest for digest, path in (line.split("  ") for line in sums.decode().splitlines())}
    assert lines.keys() == texts.keys() - {"SHA256SUMS"}
    assert lines["a"] == hashlib.sha256(b"content").hexdigest()


def test_the_order_of_placements_does_not_matter() -> None:
    one, other = _placement("a/b"), _placement("c")
    assert bundle_of([one, other]).id == bundle_of([other, one]).id


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (("a", "a"), "a: placed twice"),
        (("Dir/File", "dir/file"), "dir/file: differs from Dir/File only in case"),
        (("straße", "STRASSE"), "straße: differs from STRASSE only in case"),
        (("a", "a/b"), "a: is a file, and a/b needs a directory there"),
        (("A", "a/b/c"), "A: is a file, and a/b/c needs a directory there"),
        (("bundle.json/x",), "bundle.json: is a file, and bundle.json/x needs a directory there"),
        (("manifest.yaml",), "manifest.yaml: placed twice"),
    ],
)
def test_paths_in_each_others_way_are_reported(paths: tuple[str, ...], said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        bundle_of([_placement(path) for path in paths])
    assert caught.value.problems == (said,)


def test_all_problems_come_together() -> None:
    assert len(path_problems([BundlePath(path) for path in ("a", "a", "b", "b/c", "d")])) == 2


def test_directories_may_be_shared() -> None:
    assert path_problems([BundlePath(path) for path in ("a/b", "a/c", "ab", "a-b/c")]) == []
