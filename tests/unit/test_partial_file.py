from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from bundler.errors import StorageError
from bundler.model.removed import Removed
from bundler.partial_file import partial_file, remove_partial_files, replacing, write_durably

if TYPE_CHECKING:
    from pathlib import Path


def _never() -> None:
    raise AssertionError("nobody holds it")


def test_a_file_is_replaced_with_exactly_its_mode(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    before = os.umask(0o077)
    try:
        write_durably(tmp_path / "file", b"new", mode=0o644)
    finally:
        os.umask(before)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o7777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_replacement_that_is_never_written_leaves_nothing(tmp_path: Path) -> None:
    with replacing(tmp_path / "file", mode=0o600):
        assert (tmp_path / ".file.partial").stat().st_mode & 0o7777 == 0o600
    assert list(tmp_path.iterdir()) == []


def test_another_name_of_somebodys_file_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    os.link(tmp_path / "theirs", tmp_path / ".file.partial")
    with partial_file(tmp_path / "file", _never) as partial:
        partial.write(b"ours")
        partial.commit()
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert (tmp_path / "file").read_bytes() == b"ours"


def test_a_link_in_the_partial_files_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".file.partial").symlink_to("elsewhere")
    with pytest.raises(StorageError):
        write_durably(tmp_path / "file", b"ours")
    assert not (tmp_path / "elsewhere").exists()


def test_leftovers_of_whatever_name_go_unless_somebody_holds_them(tmp_path: Path) -> None:
    names = ".a.tar.gz.partial", ".b.lock.json.partial", ".held.tar.gz.partial", ".other.partial", "a.tar.gz.partial"
    for name in names:
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".link.tar.gz.partial").symlink_to("a.tar.gz.partial")
    kept = {".held.tar.gz.partial", ".other.partial", "a.tar.gz.partial", ".link.tar.gz.partial"}
    with (tmp_path / ".held.tar.gz.partial").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert remove_partial_files(tmp_path, (".tar.gz", ".lock.json")) == Removed(2, 8)
        assert {path.name for path in tmp_path.iterdir()} == kept
    assert remove_partial_files(tmp_path, (".tar.gz", ".lock.json")) == Removed(1, 4)
