"""Archives that leave out what other bundles hold: completed below a root, refused where that cannot be."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundle_reader import GivesSingleFiles
from bundler.archive.delta_marks import DeltaMarks
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_archive, verify_tree
from bundler.archive.verify_report import require_intact
from bundler.errors import ErrorId, IntegrityError
from bundler.model.bundle import decode_index, encode_index
from bundler.model.delta_mark import Base, Mark
from bundler.model.digest import Digest
from bundler.model.progress import Unwatched
from bundler.model.subset import Choice
from bundler.source.open_source import open_source
from tests.fakes.progress import RecordingTask
from tests.sources import unpack
from tests.unit.archive.bundles import CONTENTS, files_below
from tests.unit.archive.deltas import CHANGED, Delta, beside, delta, write_delta

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from bundler.archive.bundle_reader import ArchivedFile, BundleReader
    from bundler.archive.checked_index import CheckedIndex

COPIED = "kubeedge/crds/devices_v1alpha2_device.yaml"


@pytest.fixture
def made(tmp_path: Path) -> Delta:
    return delta(tmp_path)


def members(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


def bundle_directory(root: Path, made: Delta) -> Path:
    return root / f"demo-{made.bundle.id[:12]}"


def test_an_index_keeps_bases_and_marks(made: Delta) -> None:
    index = made.bundle.index
    assert decode_index(encode_index(index), where="b") == index
    assert index.bases == (Base(made.base_id),)
    by_lock = replace(index, bases=(Base(lock=Digest.sha256(b"lock")),))
    assert decode_index(encode_index(by_lock), where="b") == by_lock


@pytest.mark.parametrize("fields", [{}, {"bundle": "abc"}, {"bundle": "a" * 64, "lock": Digest.sha256(b"lock")}])
def test_a_base_is_one_bundle_or_one_lock(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a base is"):
        Base(**fields)  # type: ignore[arg-type] # what no caller should pass


def test_the_archive_carries_what_is_new_and_every_directory(made: Delta) -> None:
    assert set(members(made.full)) - set(members(made.archive)) == {*CONTENTS, "kubeedge/copy/keadm-amd64"} - {CHANGED}
    assert made.archive.stat().st_size < made.full.stat().st_size


def test_verify_tells_what_the_archive_has_to_carry(made: Delta) -> None:
    task = RecordingTask()
    report = verify_archive(made.archive, task)
    require_intact(report)
    assert report.files == len(made.bundle.files) - len(CONTENTS)
    assert report.content_bytes == task.advanced
    [share] = report.left
    assert (share.base, share.files) == (Base(made.base_id), len(CONTENTS))
    assert share.content_bytes + report.content_bytes == sum(file.blob.size for file in made.bundle.files)


def test_a_root_with_the_base_completes_it(tmp_path: Path, made: Delta) -> None:
    root = tmp_path / "opt"
    beside(made.base, root)
    unpacked = beside(made.archive, root)
    assert unpacked.directory == bundle_directory(root, made)
    assert files_below(unpacked.directory) == made.tree
    assert unpacked.linked_bytes > 0
    require_intact(verify_tree(unpacked.directory, Unwatched(), strict=True))
    assert beside(made.archive, root).present


def test_dates_are_those_of_a_full_bundle(tmp_path: Path, made: Delta) -> None:
    for archive, root in ((made.full, tmp_path / "full"), (made.archive, tmp_path / "delta")):
        beside(made.base, root)
        beside(archive, root)
    full = next((tmp_path / "full").glob("demo-*"))
    for path in made.tree:
        assert (bundle_directory(tmp_path / "delta", made) / path).stat().st_mtime == (full / path).stat().st_mtime


def test_what_has_another_mode_there_is_copied(tmp_path: Path, made: Delta) -> None:
    root = tmp_path / "opt"
    held = beside(made.base, root).directory / COPIED
    held.chmod(0o600)
    unpacked = beside(made.archive, root)
    assert files_below(unpacked.directory) == made.tree
    copy = unpacked.directory / COPIED
    assert copy.stat().st_ino != held.stat().st_ino
    dates = {str(file.path): file.mtime for file in made.bundle.files}
    assert (copy.stat().st_mode & 0o7777, copy.stat().st_mtime) == (0o644, dates[COPIED])


def test_without_its_base_it_is_refused_and_nothing_is_left(tmp_path: Path, made: Delta) -> None:
    root = tmp_path / "opt"
    root.mkdir()
    with pytest.raises(IntegrityError) as caught:
        beside(made.archive, root)
    assert caught.value.id is ErrorId.BASE_MISSING
    assert made.base_id[:12] in str(caught.value)
    assert list(root.iterdir()) == []


def test_a_base_that_has_rotted_is_named_and_another_bundle_serves_as_well(tmp_path: Path, made: Delta) -> None:
    root = tmp_path / "opt"
    there = beside(made.base, root).directory
    (there / COPIED).write_bytes(b"x" * len(CONTENTS[COPIED]))
    before = files_below(root)
    with pytest.raises(IntegrityError, match=f"{there.name}/{COPIED}") as caught:
        beside(made.archive, root)
    assert caught.value.id is ErrorId.BASE_MISSING
    assert files_below(root) == before
    beside(made.full, root)
    assert files_below(beside(made.archive, root).directory) == made.tree


@dataclass
class Interrupted(GivesSingleFiles):
    """A delta's archive; when it is read somebody removes the base."""

    archive: BundleReader
    base: Path
    gives_all = True

    def __post_init__(self) -> None:
        self.checked: CheckedIndex = self.archive.checked
        self.signatures: Mapping[str, bytes] = self.archive.signatures
        self.directory_dates: Mapping[str, int] = {}

    def expected(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        return self.archive.expected(wanted)

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        shutil.rmtree(self.base)
        return self.archive.files(wanted)


def test_a_base_that_is_removed_meanwhile_is_missing(tmp_path: Path, made: Delta) -> None:
    root = tmp_path / "opt"
    there = beside(made.base, root).directory
    (there / COPIED).chmod(0o600)
    with open_source(str(made.archive)) as archive, pytest.raises(IntegrityError, match=COPIED) as caught:
        unpack_beside(Interrupted(archive, there), root, Unwatched())
    assert caught.value.id is ErrorId.BASE_MISSING
    assert files_below(root).keys() <= {".bundles.json"}


def test_a_subset_needs_no_more_than_its_own_of_the_base(tmp_path: Path, made: Delta) -> None:
    root = tmp_path / "opt"
    there = beside(made.base, root).directory
    shutil.rmtree(there / "k8simage")
    choice = Choice(only=("kubeedge/*",))
    unpacked = beside(made.archive, root, choice)
    wanted = {path: data for path, data in made.tree.items() if path.startswith("kubeedge/")}
    assert {path for path in files_below(unpacked.directory) if path.startswith("kubeedge/")} == set(wanted)
    report = verify_tree(unpacked.directory, Unwatched())
    require_intact(report)
    assert report.left_out
    with pytest.raises(IntegrityError) as caught:
        beside(made.archive, root)
    assert caught.value.id is ErrorId.BASE_MISSING
    beside(made.base, root)
    assert files_below(beside(made.archive, root).directory) == made.tree


def test_a_directory_alone_takes_a_delta_only_where_nothing_else_is_missing(tmp_path: Path, made: Delta) -> None:
    target = tmp_path / "opt"
    with pytest.raises(IntegrityError) as caught:
        unpack(made.archive, target, Unwatched())
    assert caught.value.id is ErrorId.BASE_MISSING
    assert "--root" in caught.value.remedy
    assert not target.exists()
    for path in made.bundle.index.files:
        if path.mark is not None:
            (target / path.path).parent.mkdir(parents=True, exist_ok=True)
            (target / path.path).write_bytes(made.tree[path.path])
            (target / path.path).chmod(path.mode)
    unpack(made.archive, target, Unwatched())
    assert files_below(target) == made.tree


def test_a_completed_tree_is_a_source_as_any_other(tmp_path: Path, made: Delta) -> None:
    beside(made.base, tmp_path / "opt")
    tree = beside(made.archive, tmp_path / "opt").directory
    unpack(tree, tmp_path / "elsewhere", Unwatched())
    assert files_below(tmp_path / "elsewhere") == made.tree


def test_a_delta_that_plain_tar_has_unpacked_says_what_it_is(tmp_path: Path, made: Delta) -> None:
    with tarfile.open(made.archive) as tar:
        tar.extractall(tmp_path / "opt", filter="data")
    report = verify_tree(tmp_path / "opt", Unwatched())
    with pytest.raises(IntegrityError) as caught:
        require_intact(report)
    assert caught.value.id is ErrorId.BASE_MISSING
    assert "--root" in caught.value.remedy


def lying(
    tmp_path: Path, made: Delta, *, carried: frozenset[str] = frozenset(), missing: frozenset[str] = frozenset()
) -> Path:
    placements = [file for file in made.bundle.files if file.kind == "files"]
    marks: dict[str, Mark] = {file.path: file.mark for file in made.bundle.index.files if file.mark is not None}
    delta = DeltaMarks(made.bundle.index.bases, marks)
    write_delta(tmp_path / "lie.tar.gz", placements, delta, made.store, carried=carried, missing=missing)
    return tmp_path / "lie.tar.gz"


@pytest.mark.parametrize(("carried", "missing"), [(COPIED, ""), ("", CHANGED)])
def test_marks_that_lie_are_found(tmp_path: Path, made: Delta, carried: str, missing: str) -> None:
    archive = lying(tmp_path, made, carried=frozenset({carried}), missing=frozenset({missing}))
    path = carried or missing
    report = verify_archive(archive, Unwatched())
    assert not report.intact
    assert report.unlisted + report.missing == (path,)
    root = tmp_path / "opt"
    beside(made.base, root)
    before = files_below(root)
    with pytest.raises(IntegrityError, match=path):
        beside(archive, root)
    assert files_below(root) == before


def test_a_mark_that_names_no_base_makes_no_index(made: Delta) -> None:
    index = made.bundle.index
    files = (replace(index.files[0], mark=Mark(7, 0)), *index.files[1:])
    with pytest.raises(Exception, match="a base that is not listed"):
        decode_index(encode_index(replace(index, files=files)), where="b")
