from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mirror.tree.opening import NotTheCheckedFileError, is_unchanged, open_checked
from mirror.tree.quarantine import Quarantine, hash_again
from mirror.tree.shares import Share
from mirror.tree.site import Site
from tests.unit.mirror.bundle_tree import content_of, file_at, opened, site_of, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bundler.archive.bundle_root import BundleRoot

DATA = b"the listed bytes"
OTHER = b"some other bytes"
assert len(DATA) == len(OTHER)


def _await_another_change_time(directory: Path) -> None:
    # older kernels tell change times apart by some milliseconds only
    scratch = directory / "scratch"
    scratch.touch()
    first = scratch.stat().st_ctime_ns
    while scratch.stat().st_ctime_ns == first:
        scratch.touch()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[BundleRoot]:
    """A root that is a bundle with the file `dir/file`, whose dates are long past."""
    write_bundle(tmp_path / "root", {"dir/file": DATA, "dir/twin": DATA, "z": b""})
    _await_another_change_time(tmp_path)
    with opened(tmp_path / "root") as opened_root:
        yield opened_root


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where that file lies."""
    return tmp_path / "root/dir/file"


def _dated_back(path: Path, data: bytes) -> None:
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def _replace(path: Path) -> None:
    other = path.with_name("incoming")
    other.write_bytes(OTHER)
    other.rename(path)


def _append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"!")


def _rewrite_with_the_old_date(path: Path) -> None:
    _dated_back(path, OTHER)


def _link_to_another(path: Path) -> None:
    secret = path.parent.parent.parent / "secret"
    secret.write_bytes(OTHER)
    path.unlink()
    path.symlink_to(secret)


def _link_its_directory(path: Path) -> None:
    away = path.parent.parent.parent / "away"
    away.mkdir()
    (away / "file").write_bytes(OTHER)
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to(away)


def _make_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _remove(path: Path) -> None:
    path.unlink()


HARMS = [
    _replace,
    _append,
    _rewrite_with_the_old_date,
    _link_to_another,
    _link_its_directory,
    _make_a_fifo,
    _remove,
]


@pytest.mark.parametrize("harm", HARMS)
def test_nothing_but_the_checked_file_is_opened_or_admitted_again(
    root: BundleRoot, place: Path, harm: Callable[[Path], None]
) -> None:
    file = file_at(site_of(root), "dir/file")
    assert is_unchanged(file)
    harm(place)
    with pytest.raises(NotTheCheckedFileError, match=r"^dir/file: ") as caught:
        open_checked(file)
    assert caught.value.file is file
    assert not is_unchanged(file)
    assert hash_again(file)[0] is None


def test_the_checked_file_opens_at_its_start_and_is_kept_whatever_happens_to_its_name(
    root: BundleRoot, place: Path
) -> None:
    descriptor = open_checked(file_at(site_of(root), "dir/file"))
    _replace(place)
    with os.fdopen(descriptor, "rb") as stream:
        assert stream.read() == DATA


def _touch(path: Path) -> None:
    os.utime(path)


def _hard_link(path: Path) -> None:
    os.link(path, path.with_name("hard-link"))


def _change_mode(path: Path) -> None:
    path.chmod(0o600)


def _copy_over(path: Path) -> None:
    other = path.with_name("incoming")
    other.write_bytes(DATA)
    other.rename(path)


@pytest.mark.parametrize("change", [_touch, _hard_link, _change_mode, _copy_over])
def test_equal_bytes_are_refused_until_they_were_hashed_again(
    root: BundleRoot, place: Path, change: Callable[[Path], None]
) -> None:
    site = site_of(root)
    file = file_at(site, "dir/file")
    quarantine = Quarantine(site.bundles)
    change(place)
    with pytest.raises(NotTheCheckedFileError, match="has changed since"):
        open_checked(file)
    assert quarantine.may_have_changed(file)
    again, identity = hash_again(file)
    assert again is not None
    assert again.identity == identity != file.identity
    quarantine.refuse(file, identity)
    assert (quarantine.count, quarantine.is_known(file)) == (1, True)
    quarantine.readmit(site, again)
    assert (quarantine.count, quarantine.is_known(file)) == (0, False)
    assert file_at(site, "dir/file") is again
    assert content_of(again) == DATA


def test_a_link_on_the_way_to_the_very_same_file_changes_nothing(root: BundleRoot, place: Path) -> None:
    file = file_at(site_of(root), "dir/file")
    moved = place.parent.with_name("moved")
    place.parent.rename(moved)
    place.parent.symlink_to(moved)
    assert content_of(file) == DATA


def test_a_wrong_identity_is_hashed_once_and_a_new_one_again(root: BundleRoot, place: Path) -> None:
    site = site_of(root)
    file = file_at(site, "dir/file")
    quarantine = Quarantine(site.bundles)
    _replace(place)
    assert quarantine.may_have_changed(file)
    quarantine.refuse(file, hash_again(file)[1])
    assert not quarantine.may_have_changed(file)
    place.chmod(0o640)
    assert quarantine.may_have_changed(file)
    assert quarantine.paths() == [f"{site.bundles[0].short_id}/dir/file"]


@pytest.mark.parametrize("harm", [_append, _link_to_another, _make_a_fifo, _remove])
def test_what_cannot_be_the_listed_file_cannot_be_served_again(
    root: BundleRoot, place: Path, harm: Callable[[Path], None]
) -> None:
    site = site_of(root)
    file = file_at(site, "dir/file")
    harm(place)
    assert not Quarantine(site.bundles).may_have_changed(file)


def test_a_link_as_long_as_the_file_cannot_be_served_again(root: BundleRoot, place: Path) -> None:
    site = site_of(root)
    place.unlink()
    place.symlink_to("x" * len(DATA))
    assert place.lstat().st_size == len(DATA)
    assert not Quarantine(site.bundles).may_have_changed(file_at(site, "dir/file"))


def test_a_file_missing_at_first_is_refused_until_it_is_there(root: BundleRoot, place: Path) -> None:
    place.unlink()
    site = site_of(root)
    quarantine = Quarantine(site.bundles)
    file = file_at(site, "dir/file")
    assert (quarantine.count, quarantine.is_known(file), quarantine.may_have_changed(file)) == (1, True, False)
    place.write_bytes(DATA)
    assert quarantine.may_have_changed(file)
    again, _ = hash_again(file)
    assert again is not None
    quarantine.readmit(site, again)
    assert quarantine.count == 0
    assert content_of(file_at(site, "dir/file")) == DATA


def test_two_directories_with_the_same_bundle_are_judged_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_bundle(tmp_path / name, {"a": DATA})
    with opened(tmp_path) as root:
        site = site_of(root)
        assert site.bundles[0].short_id == site.bundles[1].short_id
        quarantine = Quarantine(site.bundles)
        _touch(tmp_path / "two/a")
        first, second = file_at(site, "@one/a"), file_at(site, "@two/a")
        again, identity = hash_again(second)
        assert again is not None
        quarantine.refuse(second, identity)
        assert quarantine.is_known(second)
        assert not quarantine.is_known(first)
        quarantine.readmit(site, again)
        assert file_at(site, "@one/a") is first
        assert file_at(site, "@two/a") is again


def test_shared_files_are_never_hashed_or_refused(root: BundleRoot, place: Path) -> None:
    share = Share("", root.descriptor)
    file = file_at(Site((), None, (share,)), "dir/file")
    quarantine = Quarantine(())
    _append(place)
    assert hash_again(file) == (None, None)
    assert not quarantine.may_have_changed(file)
    quarantine.refuse(file, None)
    assert (quarantine.count, quarantine.is_known(file)) == (0, False)
