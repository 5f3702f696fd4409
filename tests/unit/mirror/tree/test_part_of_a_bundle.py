"""A tree with subset.json: what was left out on purpose is not there, and nothing that is there is let off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_tree
from bundler.errors import IntegrityError
from bundler.model.bundle import bundle_id
from bundler.model.progress import Unwatched
from bundler.model.subset import Choice, Subset, encode_subset
from mirror.worker.describe import describe
from tests.unit.mirror.bundle_tree import CONTENTS, all_files, names_in, opened, shown, site_of, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KUBEEDGE = Choice(only=("kubeedge/*",))
HERE = ["SHA256SUMS", "bundle.json", *sorted(path for path in CONTENTS if path.startswith("kubeedge/"))]


def write_part(directory: Path) -> Path:
    """Write a part of a bundle as `unpack --only 'kubeedge/*'` leaves it."""
    write_bundle(directory)
    for path in CONTENTS.keys() - set(HERE):
        (directory / path).unlink()
    subset = Subset(bundle_id((directory / "bundle.json").read_bytes()), (KUBEEDGE,))
    (directory / "subset.json").write_bytes(encode_subset(subset))
    return directory


@pytest.mark.parametrize("verify", [False, True])
def test_what_was_left_out_is_not_there_and_no_fault(tmp_path: Path, *, verify: bool) -> None:
    with opened(write_part(tmp_path)) as root:
        site = site_of(root, verify=Unwatched() if verify else None)
        bundle = site.bundles[0]
        assert (bundle.complete, bundle.left_out, bundle.file_count) == (True, 2, len(HERE))
        assert bundle.verified is (True if verify else None)
        assert sorted(all_files(site)) == HERE
        assert names_in(site, "") == ["SHA256SUMS", "bundle.json", "kubeedge/"]
        assert site.find("yum") is None
        assert site.find("empty") is None
        assert "a part of it (2 files are left out)" in describe(site)


def _change_a_wanted_one(tree: Path) -> None:
    (tree / "kubeedge/keadm-amd64").write_bytes(bytes(len(CONTENTS["kubeedge/keadm-amd64"])))


def _remove_a_wanted_one(tree: Path) -> None:
    (tree / "kubeedge/keadm-amd64").unlink()


def _have_another_one(tree: Path) -> None:
    (tree / "empty").write_bytes(b"not empty")


def _have_a_right_one(tree: Path) -> None:
    (tree / "empty").write_bytes(b"")


def _have_a_link(tree: Path) -> None:
    (tree / "empty").symlink_to("bundle.json")


def _have_a_directory(tree: Path) -> None:
    (tree / "empty").mkdir()


def _have_a_link_above(tree: Path) -> None:
    (tree / "yum/repodata").rmdir()
    (tree / "yum/repodata").symlink_to("../kubeedge")


def _let_others_write(tree: Path) -> None:
    (tree / "kubeedge/keadm-amd64").chmod(0o666)


@pytest.mark.parametrize(
    "change",
    [
        _change_a_wanted_one,
        _remove_a_wanted_one,
        _have_another_one,
        _have_a_right_one,
        _have_a_link,
        _have_a_directory,
        _have_a_link_above,
        _let_others_write,
    ],
)
def test_it_is_as_exact_as_verify(tmp_path: Path, change: Callable[[Path], None]) -> None:
    change(write_part(tmp_path / "part"))
    report = verify_tree(tmp_path / "part", Unwatched())
    with opened(tmp_path / "part") as root:
        bundle = site_of(root, verify=Unwatched()).bundles[0]
    wrong = {*report.missing, *report.changed, *report.ownership.mode}
    assert {fault.path for fault in bundle.faults} == wrong
    assert bundle.verified is report.intact
    assert bundle.left_out == report.left_out


@pytest.mark.parametrize(
    "text", ["", "{}", "[", '{"format": 1, "bundle": "0", "choices": [{"only": ["*"], "platforms": [], "roles": []}]}']
)
def test_a_record_that_is_none_makes_it_no_bundle(tmp_path: Path, text: str) -> None:
    write_bundle(tmp_path / "good")
    (write_part(tmp_path / "part") / "subset.json").write_text(text)
    with opened(tmp_path) as root:
        site = site_of(root)
        assert [bundle.directory for bundle in site.bundles] == ["good"]
        assert [problem.partition(":")[0] for problem in site.problems] == ["part is left out"]
    with opened(tmp_path / "part") as root, pytest.raises(IntegrityError):
        site_of(root)


def test_a_record_that_cannot_be_followed_makes_it_no_bundle(tmp_path: Path) -> None:
    (write_part(tmp_path / "part") / "subset.json").unlink()
    (tmp_path / "part/subset.json").symlink_to("bundle.json")
    with opened(tmp_path) as root:
        assert site_of(root).bundles == ()


def test_shown_faults_of_a_whole_bundle_stay_what_they_were(tmp_path: Path) -> None:
    (write_part(tmp_path) / "subset.json").unlink()
    with opened(tmp_path) as root:
        assert shown(site_of(root).bundles[0].faults) == ["missing empty", "missing yum/repodata/repomd.xml"]
