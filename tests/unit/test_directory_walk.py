from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from bundler.directory_walk import (
    inode_of,
    make_directories,
    make_directory,
    open_directory_at,
    open_file_at,
    opened_directory,
    remove_at,
    remove_directories,
)

if TYPE_CHECKING:
    from pathlib import Path

ANOTHER_USER = 54_321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    finally:
        os.close(descriptor)


def test_ones_own_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real/sub").mkdir(parents=True)
    (tmp_path / "absolute").symlink_to(tmp_path / "real")
    (tmp_path / "relative").symlink_to("./absolute/../real")
    for name in ("real/sub", "absolute/sub", "relative//sub/.", "relative/sub/../../relative/sub"):
        assert _same(open_directory_at(tmp_path / name), tmp_path / "real/sub"), name


def test_a_relative_path_begins_at_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    made = make_directories((tmp_path / "a/b").relative_to(tmp_path))
    assert [str(one.path) for one in made] == ["a/b"]
    assert (tmp_path / "a/b").is_dir()


@as_root
def test_root_does_not_follow_another_users_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    os.lchown(tmp_path / "link", ANOTHER_USER, ANOTHER_USER)
    for walk in (open_directory_at, make_directories):
        with pytest.raises(OSError, match="another user made, which root does not follow"):
            walk(tmp_path / "link/sub")
    assert list((tmp_path / "real").iterdir()) == []


def test_links_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links") as caught:
        make_directories(tmp_path / "a/sub")
    assert caught.value.errno == errno.ELOOP


@pytest.mark.parametrize(("mode", "seen"), [(0o755, 0o755), (0o700, 0o700), (None, 0o750)])
def test_a_mode_is_exact_or_what_the_umask_leaves(tmp_path: Path, mode: int | None, seen: int) -> None:
    before = os.umask(0o027)
    try:
        make_directories(tmp_path / "a/b", mode)
    finally:
        assert os.umask(before) == 0o027
    assert {(tmp_path / path).stat().st_mode & 0o7777 for path in ("a", "a/b")} == {seen}


def test_a_group_that_a_directory_passes_on_gives_no_special_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o2755)
    with opened_directory(tmp_path) as parent:
        os.close(make_directory(parent, "below"))
    assert (tmp_path / "below").stat().st_mode & 0o7777 == 0o755


def test_only_what_was_made_is_removed_again(tmp_path: Path) -> None:
    made = make_directories(tmp_path / "a/b/c")
    (tmp_path / "a/b/c").rename(tmp_path / "kept")
    (tmp_path / "a/b/c").mkdir()
    remove_directories(made)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "a/b", "a/b/c", "kept"]
    (tmp_path / "a/b/c").rmdir()
    remove_directories(made)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_file_that_took_the_name_stays(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "new").write_bytes(b"")
    known = inode_of((tmp_path / "old").stat())
    with opened_directory(tmp_path) as parent:
        remove_at(parent, "new", known)
        remove_at(parent, "gone", known)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]
        remove_at(parent, "old", known)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_link_is_no_file_to_open(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("created")
    with pytest.raises(OSError, match="symbolic links"):
        open_file_at(tmp_path / "link", os.O_RDWR | os.O_CREAT)
    assert not (tmp_path / "created").exists()
