"""Modes and owners: of the members of an archive, and of what lies in a tree."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from bundler.archive.ownership import Ownership
from bundler.archive.tar_header import encode_header
from bundler.archive.verify import verify_archive, verify_tree
from bundler.archive.verify_report import require_intact
from bundler.errors import ErrorId, IntegrityError, StorageError
from bundler.model.progress import Unwatched
from tests.sources import open_bundle, unpack
from tests.unit.archive.bundles import gzipped, own_members, sample, tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEADM, CRDS = "kubeedge/keadm-amd64", "kubeedge/crds"
LONG = "long/" + "n" * 150
ANOTHER_USER = 54_321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An unpacked bundle, beside its archive demo.tar.gz."""
    sample(tmp_path).write(tmp_path / "demo.tar.gz")
    return unpack(tmp_path / "demo.tar.gz", tmp_path / "tree", Unwatched()).directory


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """The files of a bundle, one with a long name among them."""
    made = sample(tmp_path, {KEADM: b"program", LONG: b"long"})
    return tree_of(made.bundle, made.store.blobs)


def _with_header(path: str, old: bytes, new: bytes, files: Mapping[str, bytes], *, directory: bool = False) -> bytes:
    """Return the archive's tar file with another value in one member's last header, and a checksum that is right."""
    size, mode = (0, 0o755) if directory else (len(files[path]), 0o755 if "keadm" in path else 0o644)
    header = encode_header(path.encode(), size=size, mode=mode, mtime=0, directory=directory)
    before, block = header[:-512], header[-512:]
    assert block.count(old) >= 1
    block = block.replace(old, new, 1)
    checksum = sum(block[:148]) + 8 * 32 + sum(block[156:])
    changed = before + block[:148] + b"%06o\0 " % checksum + block[156:]
    whole = b"".join(own_members(files))
    assert whole.count(header) == 1
    return whole.replace(header, changed) + bytes(1024)


@pytest.mark.parametrize(
    ("path", "old", "new", "word"),
    [
        (KEADM, b"0000755\0", b"0006777\0", "mode"),
        (KEADM, b"0000755\0", b"000755 \0", "mode"),
        (LONG, b"0000644\0", b"0000646\0", "mode"),
        ("bundle.json", b"0000644\0", b"0000664\0", "mode"),
        ("kubeedge/", b"0000755\0", b"0000777\0", "mode"),
        (KEADM, b"0000000\0", b"0001750\0", "owner"),
        (KEADM, b"root\0", b"eve\0\0", "owner"),
        ("kubeedge/", b"0000000\0", b"0001750\0", "owner"),
        (KEADM, b"ustar  \0", b"ustar\00000", "header"),
        (LONG, b"00000000000\0", b"          0\0", "header"),
    ],
)
def test_a_header_that_is_not_ours_is_named(
    tmp_path: Path, files: dict[str, bytes], path: str, old: bytes, new: bytes, word: str
) -> None:
    data = _with_header(path.rstrip("/"), old, new, files, directory=path.endswith("/"))
    report = verify_archive(gzipped(tmp_path / "a.tar.gz", data), Unwatched())
    assert report.ownership == Ownership(**{word: (path,)})
    assert not report.intact
    with pytest.raises(IntegrityError, match=f"{word}: {path}") as caught:
        require_intact(report)
    assert caught.value.exit_code == 5
    with pytest.raises(IntegrityError, match=f"{word}: {path}"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "target", Unwatched())
    assert not (tmp_path / "target").exists()


def test_any_date_is_ours(tmp_path: Path, files: dict[str, bytes]) -> None:
    data = _with_header(LONG, b"00000000000\0", b"14000000000\0", files)
    assert verify_archive(gzipped(tmp_path / "a.tar.gz", data), Unwatched()).intact


@pytest.mark.parametrize("path", [KEADM, "bundle.json", "SHA256SUMS", CRDS, "kubeedge"])
@pytest.mark.parametrize("bits", [0o4000, 0o2000, 0o0020, 0o0002])
def test_rights_for_others_in_a_tree(tree: Path, path: str, bits: int) -> None:
    (tree / path).chmod((tree / path).stat().st_mode & 0o7777 | bits)
    report = verify_tree(tree, Unwatched())
    shown = f"{path}/" if (tree / path).is_dir() else path
    assert (report.ownership.mode, report.ownership.other_modes, report.intact) == ((shown,), (), False)


@pytest.mark.parametrize(("path", "mode"), [(KEADM, 0o700), (KEADM, 0o644), ("bundle.json", 0o600), (CRDS, 0o750)])
def test_what_an_umask_takes_is_a_note(tree: Path, path: str, mode: int) -> None:
    (tree / path).chmod(mode)
    report = verify_tree(tree, Unwatched(), strict=True)
    assert report.intact
    assert report.ownership.other_modes == (f"{path}/" if (tree / path).is_dir() else path,)


@as_root
@pytest.mark.parametrize("path", [KEADM, "SHA256SUMS", CRDS])
def test_somebody_elses_files_in_a_tree(tree: Path, path: str) -> None:
    os.chown(tree / path, ANOTHER_USER, -1)
    report = verify_tree(tree, Unwatched())
    shown = f"{path}/" if (tree / path).is_dir() else path
    assert (report.ownership.owner, report.intact) == ((shown,), False)


@as_root
def test_a_tree_may_be_its_users_own(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        os.chown(path, ANOTHER_USER, ANOTHER_USER)
    os.chown(tree / KEADM, 0, 0)
    assert verify_tree(tree, Unwatched(), strict=True).intact
    os.chown(tree / KEADM, ANOTHER_USER + 1, 0)
    assert verify_tree(tree, Unwatched()).ownership.owner == (KEADM,)


def test_unpacking_again_leaves_nothing_at_fault(tmp_path: Path, tree: Path) -> None:
    (tree / KEADM).chmod(0o6777)
    (tree / CRDS).chmod(0o777)
    with pytest.raises(StorageError, match=f"in the way.*: {CRDS}/, {KEADM}") as caught:
        unpack(tmp_path / "demo.tar.gz", tree, Unwatched())
    assert caught.value.id is ErrorId.UNPACK_CONFLICT


def test_what_another_tar_packed_is_read_and_is_not_what_was_built(tmp_path: Path) -> None:
    made = sample(tmp_path)
    files = tree_of(made.bundle, made.store.blobs)
    for style in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=style) as other:
            other.addfile(tarfile.TarInfo("./"))
            for name in sorted(files, reverse=True):
                info = tarfile.TarInfo(f"./{name}")
                info.size, info.mtime, info.mode = len(files[name]), 12.5 if style == tarfile.PAX_FORMAT else 12, 0o600
                other.addfile(info, io.BytesIO(files[name]))
        report = verify_archive(gzipped(tmp_path / "again.tar.gz", out.getvalue()), Unwatched())
        assert set(report.ownership.mode) == set(files)
        # no directory is a member of it
        assert set(report.missing) == {"harbor/", "k8simage/", "kubeedge/", "kubeedge/crds/", "yum/", "yum/repodata/"}
        assert (report.changed, report.unlisted) == ((), ())
        with pytest.raises(IntegrityError):
            unpack(tmp_path / "again.tar.gz", tmp_path / "target", Unwatched())
        assert not (tmp_path / "target").exists()
        assert open_bundle(tmp_path / "again.tar.gz").lock.read() == files["lock.json"]
