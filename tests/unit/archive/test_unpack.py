from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_tree
from bundler.archive.verify_report import require_intact
from bundler.errors import BundlerError, ErrorId, IntegrityError, StorageError
from bundler.model.progress import Unwatched
from tests.fakes.progress import RecordingTask
from tests.sources import unpack
from tests.unit.archive.bundles import files_below, packed, sample, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.archive.bundles import Sample


@pytest.fixture
def made(tmp_path: Path) -> Sample:
    """A bundle with its archive demo.tar.gz."""
    made = sample(tmp_path)
    made.write(tmp_path / "demo.tar.gz")
    return made


@pytest.fixture
def strict_umask() -> Iterator[None]:
    """The umask of a hardened host."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict_umask")
def test_the_tree_is_exactly_what_was_packed(tmp_path: Path, made: Sample) -> None:
    task = RecordingTask()
    target = tmp_path / "new/opt"
    unpacked = unpack(tmp_path / "demo.tar.gz", target, task)
    assert files_below(target) == tree_of(made.bundle, made.store.blobs)
    assert not unpacked.present
    assert (unpacked.id, unpacked.files) == (made.bundle.id, len(made.bundle.files))
    assert unpacked.content_bytes == task.advanced == sum(file.blob.size for file in made.bundle.files)
    for file in made.bundle.files:
        assert (target / file.path).stat().st_mode & 0o7777 == file.mode, file.path
        for parent in file.path.parents:
            assert (target / parent).stat().st_mode & 0o7777 == 0o755
    assert target.stat().st_mode & 0o7777 == target.parent.stat().st_mode & 0o7777 == 0o755


def test_dates_are_those_of_the_archive(tmp_path: Path, made: Sample) -> None:
    unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched())
    newest = max(file.mtime or 0 for file in made.bundle.files)
    for file in made.bundle.files:
        assert (tmp_path / "opt" / file.path).stat().st_mtime == (file.mtime or newest)
    assert (tmp_path / "opt/kubeedge/crds").stat().st_mtime == newest


def test_other_tenants_stay_as_they_are(tmp_path: Path, made: Sample) -> None:
    target = tmp_path / "opt"
    (target / "kubeedge").mkdir(parents=True)
    (target / "kubeedge/edge.db").write_bytes(b"theirs")
    (target / "kubeedge").chmod(0o750)
    unpack(tmp_path / "demo.tar.gz", target, Unwatched())
    assert files_below(target) == {**tree_of(made.bundle, made.store.blobs), "kubeedge/edge.db": b"theirs"}
    assert (target / "kubeedge").stat().st_mode & 0o7777 == 0o750


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def test_a_bundle_that_is_there_is_present(tmp_path: Path, made: Sample) -> None:
    unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched())
    before = _identity(tmp_path / "opt/bundle.json")
    task = RecordingTask()
    again = unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", task)
    assert again.present
    assert task.advanced == sum(file.blob.size for file in made.bundle.files)
    assert _identity(tmp_path / "opt/bundle.json") == before


def test_what_an_interrupted_run_left_is_completed(tmp_path: Path, made: Sample) -> None:
    target = tmp_path / "opt"
    unpack(tmp_path / "demo.tar.gz", target, Unwatched())
    for path in ("bundle.json", "kubeedge/random.tar.gz"):
        (target / path).unlink()
    staging = target / f".demo-{made.bundle.id[:12]}.partial"
    staging.mkdir()
    (staging / "17").write_bytes(b"half a fi")
    kept = _identity(target / "kubeedge/keadm-amd64")
    assert not unpack(tmp_path / "demo.tar.gz", target, Unwatched()).present
    assert files_below(target) == tree_of(made.bundle, made.store.blobs)
    assert not staging.exists()
    assert _identity(target / "kubeedge/keadm-amd64") == kept


@pytest.mark.parametrize("how", ["other content", "link to the same content", "directory"])
def test_files_in_the_way_are_all_named_and_nothing_changes(tmp_path: Path, made: Sample, how: str) -> None:
    target = tmp_path / "opt"
    intact = tree_of(made.bundle, made.store.blobs)
    for path in ("kubeedge/keadm-amd64", "yum/repodata/repomd.xml"):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        if how == "other content":
            (target / path).write_bytes(bytes(len(intact[path])))
        elif how == "directory":
            (target / path).mkdir()
        else:
            (tmp_path / "same").write_bytes(intact[path])
            (target / path).symlink_to(tmp_path / "same")
    before = sorted(target.rglob("*"))
    with pytest.raises(StorageError) as caught:
        unpack(tmp_path / "demo.tar.gz", target, Unwatched())
    assert caught.value.id is ErrorId.UNPACK_CONFLICT
    assert "kubeedge/keadm-amd64, yum/repodata/repomd.xml" in str(caught.value)
    assert sorted(target.rglob("*")) == before


def test_another_bundle_is_not_overwritten(tmp_path: Path, made: Sample) -> None:
    other = sample(tmp_path / "other", {"kubeedge/only": b"x"}, name="other")
    other.write(tmp_path / "other.tar.gz")
    unpack(tmp_path / "other.tar.gz", tmp_path / "opt", Unwatched())
    before = files_below(tmp_path / "opt")
    with pytest.raises(StorageError, match="another bundle is unpacked here") as caught:
        unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched())
    assert caught.value.id is ErrorId.UNPACK_CONFLICT
    assert files_below(tmp_path / "opt") == before
    assert made.bundle.id != other.bundle.id


def test_a_linked_directory_does_not_lead_out(tmp_path: Path, made: Sample) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/kubeedge").symlink_to(outside)
    with pytest.raises(StorageError) as caught:
        unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched())
    assert caught.value.id is ErrorId.UNPACK_CONFLICT
    assert list(outside.iterdir()) == []
    assert [path.name for path in (tmp_path / "opt").iterdir()] == ["kubeedge"]
    assert made.bundle.files


class Intruder(Unwatched):
    """Puts a link where a directory will be needed, after the target was looked at."""

    def __init__(self, at: Path, to: Path) -> None:
        self.at, self.to = at, to

    def advance(self, count: int) -> None:
        if count and not self.at.is_symlink():
            self.at.symlink_to(self.to)


def test_a_link_that_appears_meanwhile_does_not_lead_out_either(tmp_path: Path, made: Sample) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "opt"
    with pytest.raises(StorageError):
        unpack(tmp_path / "demo.tar.gz", target, Intruder(target / "yum", outside))
    assert list(outside.iterdir()) == []
    assert [path.name for path in target.iterdir()] == ["yum"], "what was placed before is taken back"
    assert made.bundle.files


class Stopping(Unwatched):
    """Ctrl-C in the middle of extraction."""

    def advance(self, count: int) -> None:
        if count > 60_000:
            raise KeyboardInterrupt


def test_ctrl_c_leaves_nothing(tmp_path: Path, made: Sample) -> None:
    with pytest.raises(KeyboardInterrupt):
        unpack(tmp_path / "demo.tar.gz", tmp_path / "new/opt", Stopping())
    assert not (tmp_path / "new").exists()
    assert not unpack(tmp_path / "demo.tar.gz", tmp_path / "new/opt", Unwatched()).present
    assert made.bundle.files


def test_a_damaged_archive_leaves_the_target_as_it_was(tmp_path: Path, made: Sample) -> None:
    files = tree_of(made.bundle, made.store.blobs)
    files["yum/repodata/repomd.xml"] = files["yum/repodata/repomd.xml"].replace(b"r", b"x")
    archive = packed(tmp_path / "damaged.tar.gz", files)
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/theirs").write_bytes(b"x")
    with pytest.raises(IntegrityError, match=r"repomd\.xml holds other bytes"):
        unpack(archive, tmp_path / "opt", Unwatched())
    assert files_below(tmp_path / "opt") == {"theirs": b"x"}


def test_a_signature_travels_along(tmp_path: Path, made: Sample) -> None:
    files = tree_of(made.bundle, made.store.blobs)
    archive = packed(tmp_path / "signed.tar.gz", {**files, "SHA256SUMS.sig": b"signature"})
    unpack(archive, tmp_path / "opt", Unwatched())
    assert (tmp_path / "opt/SHA256SUMS.sig").read_bytes() == b"signature"
    require_intact(verify_tree(tmp_path / "opt", Unwatched(), strict=True))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/SHA256SUMS.sig").write_bytes(b"somebody else's")
    with pytest.raises(StorageError, match=r"SHA256SUMS\.sig"):
        unpack(archive, tmp_path / "other", Unwatched())
    assert files_below(tmp_path / "other") == {"SHA256SUMS.sig": b"somebody else's"}


def test_a_target_that_is_a_file_is_refused(tmp_path: Path, made: Sample) -> None:
    (tmp_path / "opt").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched())
    assert caught.value.id is ErrorId.STORAGE_UNUSABLE
    assert made.bundle.files


def test_two_at_once_end_with_one_bundle(tmp_path: Path, made: Sample) -> None:
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(unpack(tmp_path / "demo.tar.gz", tmp_path / "opt", Unwatched()).present)
        except BundlerError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["False", "True", "True", "True"]
    assert files_below(tmp_path / "opt") == tree_of(made.bundle, made.store.blobs)
