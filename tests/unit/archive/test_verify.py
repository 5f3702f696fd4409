from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_archive, verify_tree
from bundler.archive.verify_report import require_intact
from bundler.errors import BundleFormatError, ErrorId, IntegrityError
from bundler.model.progress import Unwatched
from tests.fakes.progress import RecordingTask
from tests.sources import open_bundle, unpack
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.archive.bundles import Sample


@pytest.fixture
def made(tmp_path: Path) -> Sample:
    """A bundle with its archive demo.tar.gz, unpacked in `tree`."""
    made = sample(tmp_path)
    made.write(tmp_path / "demo.tar.gz")
    unpack(tmp_path / "demo.tar.gz", tmp_path / "tree", Unwatched())
    return made


def test_an_intact_archive_and_tree_say_the_same(tmp_path: Path, made: Sample) -> None:
    total = sum(file.blob.size for file in made.bundle.files)
    for check, path in ((verify_archive, "demo.tar.gz"), (verify_tree, "tree")):
        task = RecordingTask()
        report = check(tmp_path / path, task)
        require_intact(report)
        assert report.intact
        assert (report.id, report.name, report.release) == (made.bundle.id, "demo", "2025.03")
        assert report.files == len(made.bundle.files)
        assert report.content_bytes == task.advanced == total


def test_every_fault_of_a_tree_is_named_at_once(tmp_path: Path, made: Sample) -> None:
    tree = tmp_path / "tree"
    (tree / "harbor/empty").unlink()
    keadm = tree / "kubeedge/keadm-amd64"
    keadm.write_bytes(b"?" * keadm.stat().st_size)
    (tree / "yum/repodata/repomd.xml").write_bytes(b"longer than it was before")
    report = verify_tree(tree, Unwatched())
    assert report.missing == ("harbor/empty",)
    assert report.changed == ("kubeedge/keadm-amd64", "yum/repodata/repomd.xml")
    assert report.files == len(made.bundle.files) - 3
    with pytest.raises(IntegrityError) as caught:
        require_intact(report)
    assert caught.value.id is ErrorId.BUNDLE_DAMAGED
    assert caught.value.got == ("missing: harbor/empty; changed: kubeedge/keadm-amd64, yum/repodata/repomd.xml")


def test_other_tenants_are_a_note_unless_strict(tmp_path: Path, made: Sample) -> None:
    tree = tmp_path / "tree"
    (tree / "containerd/bin").mkdir(parents=True)
    (tree / "containerd/bin/ctr").write_bytes(b"x")
    (tree / "kubeedge/own-notes").write_bytes(b"x")
    (tree / "SHA256SUMS.sig").write_bytes(b"a signature is never unlisted")
    report = verify_tree(tree, Unwatched())
    assert report.unlisted == ("containerd/", "kubeedge/own-notes")
    require_intact(report)
    with pytest.raises(IntegrityError, match=r"unlisted: containerd/, kubeedge/own-notes"):
        require_intact(verify_tree(tree, Unwatched(), strict=True))
    assert made.bundle.id == report.id


@pytest.mark.parametrize("how", ["file-link", "parent-link", "directory", "fifo", "file-as-parent", "device-link"])
def test_something_else_in_place_of_a_file_is_a_change(tmp_path: Path, made: Sample, how: str) -> None:
    keadm = tmp_path / "tree/kubeedge/keadm-amd64"
    copy = tmp_path / "copy"
    changed = {"kubeedge/keadm-amd64"}
    if how == "parent-link":
        keadm.parent.rename(copy)
        keadm.parent.symlink_to(copy)
        changed = {str(file.path) for file in made.bundle.files if file.path.startswith("kubeedge/")}
    elif how == "file-as-parent":
        keadm.parent.rename(copy)
        keadm.parent.write_bytes(b"")
        changed = {str(file.path) for file in made.bundle.files if file.path.startswith("kubeedge/")}
    else:
        keadm.rename(copy)
        if how == "file-link":
            keadm.symlink_to(copy)
        elif how == "directory":
            keadm.mkdir()
        elif how == "fifo":
            os.mkfifo(keadm)
        else:
            keadm.symlink_to("/dev/null")
    report = verify_tree(tmp_path / "tree", Unwatched())
    assert set(report.changed) == changed
    assert report.missing == ()


def test_the_root_itself_may_be_named_through_a_link(tmp_path: Path, made: Sample) -> None:
    (tmp_path / "current").symlink_to("tree")
    assert verify_tree(tmp_path / "current", Unwatched()).id == made.bundle.id


@pytest.mark.parametrize("name", ["absent", "empty", "file"])
def test_where_there_is_no_bundle(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BundleFormatError) as caught:
        verify_tree(tmp_path / name, Unwatched())
    assert caught.value.id is ErrorId.BUNDLE_NOT_FOUND


def test_a_bundle_opens_alike_from_archive_and_tree(tmp_path: Path, made: Sample) -> None:
    archive, tree = open_bundle(tmp_path / "demo.tar.gz"), open_bundle(tmp_path / "tree")
    assert archive.index == tree.index == made.bundle.index
    assert archive.id == tree.id == made.bundle.id
    assert archive.manifest == tree.manifest
    assert archive.lock == tree.lock
    assert archive.manifest.read() == b"version: 1\nname: demo\n"
    assert archive.lock.read() == b'{"format": 1}\n'
    assert (archive.where, tree.where) == ("demo.tar.gz", str(tmp_path / "tree"))


def test_opening_reads_only_the_beginning(tmp_path: Path, made: Sample) -> None:
    whole = (tmp_path / "demo.tar.gz").read_bytes()
    members = whole.split(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
    assert len(members) == 2, "this test wants a bundle of one gzip member"
    large = sample(tmp_path / "large", {"a": os.urandom(1 << 20), "b": os.urandom(3 << 20)})
    data = large.write(tmp_path / "large.tar.gz").path.read_bytes()
    (tmp_path / "large.tar.gz").write_bytes(data[: len(data) // 2])
    assert open_bundle(tmp_path / "large.tar.gz").id == large.bundle.id
    assert made.bundle.id != large.bundle.id
