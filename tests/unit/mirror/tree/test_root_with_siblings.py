"""A root that is itself a bundle and holds others: which one is at the top, and where each can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundleFormatError
from tests.unit.mirror.bundle_tree import all_files, file_at, names_in, opened, site_of, write_bundle

if TYPE_CHECKING:
    from pathlib import Path


def test_a_root_that_is_a_bundle_has_siblings_beside_it(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"a": b"the root's own"})
    write_bundle(tmp_path / "next", {"a": b"the next"})
    with opened(tmp_path) as root:
        site = site_of(root)
        assert [bundle.address for bundle in site.bundles] == ["@.", "@next"]
        assert names_in(site, "") == ["@next/", "SHA256SUMS", "a", "bundle.json"]
        assert file_at(site, "a").etag == file_at(site, "@./a").etag
        (tmp_path / "current").symlink_to("next")
        site = site_of(root)
        assert site.current is site.at("@next")
        assert names_in(site, "") == ["@./", "@next/", "SHA256SUMS", "a", "bundle.json"]
        assert file_at(site, "a").etag == file_at(site, "@next/a").etag != file_at(site, "@./a").etag
        assert file_at(site, "@./a").place.path == "a"
        assert sorted(all_files(site, "@.")) == ["@./SHA256SUMS", "@./a", "@./bundle.json"]
        (tmp_path / "current").unlink()
        assert site_of(root).current is not None


def test_of_a_root_that_is_a_bundle_only_what_is_at_the_top_ends_the_loading(tmp_path: Path) -> None:
    write_bundle(tmp_path / "next")
    (tmp_path / "bundle.json").write_text("{}")
    with opened(tmp_path) as root:
        with pytest.raises(BundleFormatError):
            site_of(root)
        (tmp_path / "current").symlink_to("next")
        site = site_of(root)
        assert [bundle.address for bundle in site.bundles] == ["@next"]
        assert [problem.partition(":")[0] for problem in site.problems] == [f"{tmp_path} is left out"]


def test_a_link_that_leads_nowhere_hides_the_roots_own_bundle_from_the_top(tmp_path: Path) -> None:
    write_bundle(tmp_path, {"a": b""})
    (tmp_path / "current").symlink_to("gone")
    with opened(tmp_path) as root:
        site = site_of(root)
        assert site.current is None
        assert names_in(site, "") == ["@./"]
        assert len(site.problems) == 1


def test_what_is_being_staged_is_no_bundle(tmp_path: Path) -> None:
    write_bundle(tmp_path / ".next-0123456789ab.partial")
    write_bundle(tmp_path / "next-0123456789ab")
    with opened(tmp_path) as root:
        assert [bundle.directory for bundle in site_of(root).bundles] == ["next-0123456789ab"]
