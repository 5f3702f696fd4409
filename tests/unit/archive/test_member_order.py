from __future__ import annotations

from bundler.archive.member_order import archive_members
from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement


def _files(*paths: str) -> list[Placement]:
    return [Placement(BundlePath(path), path.encode(), "files") for path in paths]


def test_members_come_in_the_order_of_the_design() -> None:
    paths = (
        "kubeedge/z", "aaa", "k8simage/index.json", "yum/a.rpm", "lock.json", "manifest.yaml", "runtime/r", "bin/b",
        "install.sh", "SHA256SUMS.sig", "SHA256SUMS", "bundle.json", "kubeedge-2/x", "kubeedge.txt",
    )  # fmt: skip
    assert [member.path for member in archive_members(_files(*paths))] == [
        "bundle.json",
        "SHA256SUMS",
        "SHA256SUMS.sig",
        "install.sh",
        "bin",
        "bin/b",
        "runtime",
        "runtime/r",
        "manifest.yaml",
        "lock.json",
        "yum",
        "yum/a.rpm",
        "k8simage",
        "k8simage/index.json",
        "aaa",
        "kubeedge-2",
        "kubeedge-2/x",
        "kubeedge.txt",
        "kubeedge",
        "kubeedge/z",
    ]


def test_names_are_sorted_by_bytes_not_by_letters() -> None:
    order = [member.path for member in archive_members(_files("é", "z", "Z", "😀", "\uffee"))]
    assert order == ["Z", "z", "é", "\uffee", "😀"]


def test_every_directory_comes_once_before_what_lies_in_it() -> None:
    members = list(archive_members(_files("a/b/c/d", "a/b/e", "a/f")))
    assert [member.path for member in members] == ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/e", "a/f"]
    directories = [member for member in members if member.content is None]
    assert [(member.path, member.mode) for member in directories] == [("a", 0o755), ("a/b", 0o755), ("a/b/c", 0o755)]


def _dates(source_date_epoch: int | None, *mtimes: int | None) -> list[int]:
    files = [Placement(BundlePath(f"d/{n}"), b"", "files", mtime=mtime) for n, mtime in enumerate(mtimes)]
    return [member.mtime for member in archive_members(files, source_date_epoch)]


def test_a_file_keeps_its_date_and_everything_else_takes_the_newest() -> None:
    assert _dates(None, 100, None, 300) == [300, 100, 300, 300]


def test_dates_are_capped_before_the_newest_is_taken() -> None:
    assert _dates(200, 100, None, 300) == [200, 100, 200, 200]


def test_without_any_date_it_is_the_epoch() -> None:
    assert _dates(None, None) == [0, 0]
    assert _dates(200, None) == [0, 0]


def test_a_date_before_the_epoch_becomes_the_epoch() -> None:
    assert _dates(None, -5) == [0, 0]
