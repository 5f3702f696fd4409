"""Parts of a bundle: what belongs to them, that `verify` knows it exactly, and that any source completes them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from bundler.archive import unpack as unpacking
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_tree
from bundler.errors import BundleFormatError, BundlerError, IntegrityError
from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement
from bundler.model.platform import Platform
from bundler.model.progress import Unwatched
from bundler.model.subset import ALL, Choice, Subset, decode_subset, encode_subset
from bundler.source.open_source import open_source
from tests.fakes.store import MemoryStore
from tests.unit.archive.bundles import Sample, bundle_of, files_below

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundler.archive.unpack import Unpacked

AMD64, ARM = Platform("linux", "amd64"), Platform("linux", "arm", "v7")
FILES: dict[str, tuple[tuple[str, ...], tuple[Platform, ...]]] = {
    "cloud/keadm": (("cloud",), ()),
    "edge/edgecore": (("edge",), ()),
    "both/keadm": (("cloud", "edge"), ()),
    "any/notes": ((), ()),
    "amd64/bin": (("cloud", "edge"), (AMD64,)),
    "arm/bin": (("edge",), (ARM,)),
}
OWN = {"bundle.json", "SHA256SUMS", "manifest.yaml", "lock.json"}
EDGE = Choice(roles=("edge",))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    store = MemoryStore(tmp_path / "store")
    placements = [
        Placement(BundlePath(path), store.put(path.encode()), "files", roles=roles, platforms=platforms)
        for path, (roles, platforms) in FILES.items()
    ]
    Sample(bundle_of(placements), store).write(tmp_path / "demo.tar.gz")
    return tmp_path / "demo.tar.gz"


def into(source: Path, directory: Path, choice: Choice = ALL) -> Unpacked:
    with open_source(str(source)) as reader:
        return unpacking.unpack(reader, directory, Unwatched(), choice=choice)


def beside(source: Path, root: Path, choice: Choice = ALL) -> Unpacked:
    with open_source(str(source)) as reader:
        return unpack_beside(reader, root, Unwatched(), choice=choice)


PLACES = pytest.mark.parametrize("put", [into, beside])


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (EDGE, {"edge/edgecore", "both/keadm", "any/notes", "amd64/bin", "arm/bin"}),
        (Choice(roles=("cloud",)), {"cloud/keadm", "both/keadm", "any/notes", "amd64/bin"}),
        (Choice(roles=("cloud", "edge")), set(FILES)),
        (Choice(platforms=(Platform("linux", "arm"),)), set(FILES) - {"amd64/bin"}),
        (Choice(roles=("edge",), platforms=(AMD64,)), {"edge/edgecore", "both/keadm", "any/notes", "amd64/bin"}),
        (Choice(only=("*keadm",)), {"cloud/keadm", "both/keadm"}),
        (Choice(roles=("edge",), only=("*keadm", "arm/*")), {"both/keadm", "arm/bin"}),
        (Choice(only=("nothing",)), set()),
    ],
)
@PLACES
def test_a_part_is_what_was_chosen(
    tmp_path: Path, archive: Path, put: Callable[..., Unpacked], choice: Choice, wanted: set[str]
) -> None:
    unpacked = put(archive, tmp_path / "opt", choice)
    tree = unpacked.directory
    assert files_below(tree).keys() - {"subset.json"} == OWN | wanted
    assert (unpacked.files, unpacked.left_out) == (len(OWN | wanted), len(set(FILES) - wanted))
    report = verify_tree(tree, Unwatched(), strict=True)
    assert (report.intact, report.files, report.left_out) == (True, len(OWN | wanted), len(set(FILES) - wanted))


@PLACES
def test_what_was_chosen_must_be_there(tmp_path: Path, archive: Path, put: Callable[..., Unpacked]) -> None:
    tree = put(archive, tmp_path / "opt", EDGE).directory
    (tree / "edge/edgecore").unlink()
    assert verify_tree(tree, Unwatched()).missing == ("edge/edgecore",)
    (tree / "cloud").mkdir()
    (tree / "cloud/keadm").write_bytes(b"other")
    assert verify_tree(tree, Unwatched()).changed == ("cloud/keadm",)


@PLACES
@pytest.mark.parametrize("from_tree", [False, True])
def test_a_part_grows_and_becomes_the_whole(
    tmp_path: Path, archive: Path, put: Callable[..., Unpacked], from_tree: bool
) -> None:
    source = into(archive, tmp_path / "whole").directory if from_tree else archive
    tree = put(archive, tmp_path / "opt", EDGE).directory
    assert put(source, tmp_path / "opt", EDGE).present
    grown = put(source, tmp_path / "opt", Choice(only=("cloud/*",)))
    assert (grown.present, grown.left_out) == (False, 0)
    assert (tree / "subset.json").exists()
    assert verify_tree(tree, Unwatched(), strict=True).intact
    assert put(source, tmp_path / "opt").left_out == 0
    assert not (tree / "subset.json").exists()
    assert files_below(tree).keys() == OWN | FILES.keys()
    # what is whole does not become less by wanting a part
    assert put(source, tmp_path / "opt", EDGE).left_out == 0
    assert not (tree / "subset.json").exists()


def test_a_part_is_no_source_of_what_it_has_not(tmp_path: Path, archive: Path) -> None:
    part = into(archive, tmp_path / "part", EDGE).directory
    assert beside(part, tmp_path / "root", EDGE).files == len(OWN) + 5
    with pytest.raises(IntegrityError, match="cloud/keadm"):
        into(part, tmp_path / "opt")
    assert not (tmp_path / "opt").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": 1, "bundle": "x", "choices": []}',
        b'{"format": 1, "bundle": "x", "choices": [{"roles": [], "platforms": [], "only": []}]}',
        b'{"format": 1, "bundle": "x", "choices": [{"roles": [1], "platforms": [], "only": []}]}',
        b'{"format": 1, "bundle": "x", "choices": [{"roles": ["edge"], "platforms": ["x"], "only": []}]}',
        b'{"format": 1, "bundle": "x", "choices": [{"roles": ["edge"], "platforms": [], "only": []}]}',
    ],
)
def test_a_record_that_is_none_hides_nothing(tmp_path: Path, archive: Path, content: bytes) -> None:
    tree = into(archive, tmp_path / "opt").directory
    (tree / "edge/edgecore").unlink()
    (tree / "subset.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"subset\.json"):
        verify_tree(tree, Unwatched())
    with pytest.raises(BundlerError, match=r"subset\.json"):
        into(archive, tmp_path / "opt")


def test_a_record_of_a_later_version_is_told(tmp_path: Path, archive: Path) -> None:
    tree = into(archive, tmp_path / "opt").directory
    (tree / "subset.json").write_bytes(b'{"format": 2}')
    with pytest.raises(BundleFormatError):
        verify_tree(tree, Unwatched())


def test_records_are_the_same_in_any_order_and_come_back() -> None:
    choices = [EDGE, Choice(platforms=(AMD64, ARM)), Choice(only=("a*", "b"))]
    made = set()
    for order in itertools.permutations(choices):
        subset = Subset("0" * 64, ())
        for choice in (*order, *order):
            subset = subset.with_choice(choice)
        made.add(encode_subset(subset))
        assert decode_subset(encode_subset(subset), where="x") == subset
    assert len(made) == 1
