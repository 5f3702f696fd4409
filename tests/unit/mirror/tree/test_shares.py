from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mirror.tree.opening import NotTheCheckedFileError, open_checked
from mirror.tree.served import Directory, File
from mirror.tree.shares import Share
from tests.unit.mirror.bundle_tree import content_of, directory_at, file_at, names_in, opened, site_of, write_bundle
from tests.unit.mirror.in_a_child import as_nobody

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def shared(directory: Path, path: str = "iso") -> Iterator[Share]:
    """Share a directory for the length of a block."""
    with opened(directory) as root:
        yield Share(path, root.descriptor)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory to share, beside a file that is nobody's business."""
    (tmp_path / "secret").write_text("password")
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "a.iso").write_bytes(b"image")
    (tree / ".hidden").write_bytes(b"dot")
    (tree / "inner/b").write_bytes(b"b")
    return tree


def _names(share: Share, inner: str = "") -> list[str]:
    found = share.find(inner, inner)
    assert isinstance(found, Directory)
    return [entry.name for entry in found.entries]


def test_files_and_directories_are_served_as_they_are(tree: Path) -> None:
    with shared(tree) as share:
        found = share.find("a.iso", "iso/a.iso")
        assert isinstance(found, File)
        assert (found.size, found.bundle, found.digest, found.path) == (5, "", None, "a.iso")
        assert content_of(found) == b"image"
        assert _names(share) == [".hidden", "a.iso", "inner"]
        top = share.find("", "iso")
        assert isinstance(top, Directory)
        assert (top.path, top.bundle, top.inner) == ("iso", "", "")
        assert [entry.name for entry in top.entries if entry.file is None] == ["inner"]
        (listed,) = (entry.file for entry in top.entries if entry.name == "a.iso")
        assert listed is not None
        assert listed.etag == found.etag


def test_a_list_is_whole_while_another_worker_makes_one(tree: Path) -> None:
    with shared(tree) as share, os.scandir(share.directory) as others:
        next(others)
        assert _names(share) == [".hidden", "a.iso", "inner"]


def test_no_link_is_shown_or_followed(tree: Path) -> None:
    (tree / "out").symlink_to(tree.parent / "secret")
    (tree / "inside").symlink_to("a.iso")
    (tree / "dir").symlink_to("inner")
    (tree / "up").symlink_to(tree.parent)
    os.mkfifo(tree / "fifo")
    with shared(tree) as share:
        assert _names(share) == [".hidden", "a.iso", "inner"]
        for path in ("out", "inside", "dir", "dir/b", "up", "up/secret", "fifo", "a.iso/x", "inner/gone"):
            assert share.find(path, path) is None, path


@pytest.mark.parametrize(
    "path",
    ["..", "../secret", "inner/../a.iso", ".", "./a.iso", "inner//b", "/a.iso", "a.iso/", "inner/", "a.iso\0",
     "\0", "\udce9", "A.ISO", "x" * 256, "y/" * 3000 + "y", "inner/.."],
)  # fmt: skip
def test_odd_paths_lead_to_nothing(tree: Path, path: str) -> None:
    with shared(tree) as share:
        assert share.find(path, path) is None


def test_names_that_are_no_utf8_have_no_url(tree: Path) -> None:
    (tree / os.fsdecode(b"latin-\xe9")).write_bytes(b"")
    (tree / "\u0065\u0301").write_bytes(b"decomposed")
    with shared(tree) as share:
        assert _names(share) == [".hidden", "a.iso", "e\u0301", "inner"]
        assert share.find("\u00e9", "") is None
        assert isinstance(share.find("e\u0301", ""), File)


def test_a_file_swapped_for_a_link_after_it_was_found_is_not_opened(tree: Path) -> None:
    with shared(tree) as share:
        found = share.find("inner/b", "inner/b")
        assert isinstance(found, File)
        (tree / "inner").rename(tree / "moved")
        (tree.parent / "b").write_bytes(b"s")
        (tree / "inner").symlink_to(tree.parent)
        with pytest.raises(NotTheCheckedFileError):
            open_checked(found)


def test_a_rewritten_file_has_another_tag(tree: Path) -> None:
    with shared(tree) as share:
        before = share.find("a.iso", "")
        (tree / "a.iso").write_bytes(b"other")
        after = share.find("a.iso", "")
        assert isinstance(before, File)
        assert isinstance(after, File)
        assert before.etag != after.etag
        assert before.etag.strip('"').isalnum()


def test_what_the_user_may_not_read_is_not_there(tree: Path) -> None:
    (tree / "a.iso").chmod(0o600)
    (tree / "inner").chmod(0o700)
    with shared(tree) as share:

        def tried() -> str:
            return " ".join(str(share.find(path, path)) for path in ("a.iso", "inner", "inner/b"))

        assert as_nobody(tried) == "None None None"


def test_a_removed_directory_is_empty_rather_than_a_failure(tree: Path) -> None:
    with shared(tree / "inner") as share:
        (tree / "inner/b").unlink()
        (tree / "inner").rmdir()
        assert _names(share) == []
        assert share.find("b", "b") is None


def test_a_failing_disk_is_no_absent_file() -> None:
    share = Share("iso", -1)
    for path in ("a.iso", ""):
        with pytest.raises(OSError, match="Bad file descriptor"):
            share.find(path, path)


def test_shares_are_mounted_in_the_listings_that_lead_to_them(tmp_path: Path, tree: Path) -> None:
    write_bundle(tmp_path / "root", {"yum/repomd.xml": b"<repomd/>"})
    with opened(tmp_path / "root") as root, shared(tree) as share:
        site = site_of(
            root,
            Share("yum/extra", share.directory),
            Share("far/away/iso", share.directory),
            Share("far/away/iso/more/deep", share.directory),
        )
        assert names_in(site, "") == ["SHA256SUMS", "bundle.json", "far/", "yum/"]
        assert names_in(site, "yum") == ["extra/", "repomd.xml"]
        assert names_in(site, "far") == ["away/"]
        assert names_in(site, "far/away") == ["iso/"]
        assert names_in(site, "far/away/iso") == [".hidden", "a.iso", "inner/", "more/"]
        assert names_in(site, "far/away/iso/more") == ["deep/"]
        assert file_at(site, "far/away/iso/more/deep/inner/b").path == "inner/b"
        assert file_at(site, "yum/extra/a.iso").bundle == ""
        assert file_at(site, "yum/repomd.xml").bundle == site.bundles[0].short_id
        assert directory_at(site, "far").bundle == ""
        for path in (
            "yum/extra/",
            "yum/extra//a.iso",
            "yum/extra/../repomd.xml",
            "yum/extraa.iso",
            "fa",
            "far/",
            ""[:0] + "/",
        ):
            assert site.find(path) is None, path


def test_a_root_without_a_bundle_is_served_whole_when_asked_for(tree: Path) -> None:
    with opened(tree) as root:
        site = site_of(root, Share("", root.descriptor))
        assert names_in(site, "") == [".hidden", "a.iso", "inner/"]
        assert file_at(site, "inner/b").etag
        assert directory_at(site, "inner").path == "inner"
        for path in ("/a.iso", "//etc/passwd", "../secret", "inner/"):
            assert site.find(path) is None, path
