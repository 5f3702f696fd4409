"""The page of a directory: what it says, where it links, the same bytes for the same site."""

from __future__ import annotations

import hashlib
import os
import posixpath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from bundler.model.image.bundled import bundle_images
from mirror.client.reach import Reach, Snippet
from mirror.page.listing import ROWS_PER_PAGE
from mirror.page.pages import Pages
from mirror.tree.comparison import Comparison
from mirror.tree.shares import Share
from tests.fakes.page_server import snippets_for
from tests.fakes.page_views import REACH, directory, served, view
from tests.fakes.served_tree import kubeedge_files, listed, make_index, write_tree
from tests.unit.mirror.page.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.page.view import View
    from mirror.tree.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A root with two bundles, the newer one current."""
    bundles = {
        "new": make_index(kubeedge_files(), name="kubeedge", release="2025.03"),
        "old one": make_index(kubeedge_files()[:20], name="kubeedge", release="2024.11"),
    }
    with served(tmp_path, bundles, current="new") as made:
        yield made


def _page(site: Site, path: str, by: View | None = None) -> Parsed:
    rendered = Pages().directory(site, directory(site, path), by or view())
    assert rendered.media_type == "text/html; charset=utf-8"
    return Parsed(rendered.body)


def _lead_to(page: Parsed, path: str) -> list[str]:
    """Return the decoded paths that a page's relative links lead to, as a client resolves them (RFC 3986, 5.2)."""
    base = f"/{path}/" if path else "/"
    relative = [urlsplit(link).path for link in page.links if not link.startswith(("/", "#", "?"))]
    return [unquote(posixpath.normpath(base + link)) for link in relative]


def test_start_page_says_what_the_bundle_is(site: Site) -> None:
    page = _page(site, "", view(snippets=snippets_for(REACH)))
    assert site.current is not None
    for said in ("kubeedge", "2025.03", site.current.short_id, "linux/amd64", "2022-08-11 09:12 UTC", "50 files"):
        assert said in page.text
    assert "12 RPM packages 7 images 5 further files" in page.text
    assert "Complete Every file that the bundle lists is here" in page.text
    assert "Digests not compared" in page.text
    assert "mirror serve --verify" in page.text
    assert "mirror verify http://master:8088/" in page.text
    (form,) = [each for each in page.all("form") if each.get("method") == "post"]
    assert form["action"] == f"/-/compare?bundle={site.current.short_id}"
    assert page.unclosed == []


def test_other_bundles_have_addresses_of_their_own(site: Site) -> None:
    page = _page(site, "")
    assert [link for link in page.links if link.startswith("/@")] == ["/@new/", "/@old%20one/"]
    assert "kubeedge 2025.03 Current" in page.text
    below = _page(site, "@old one/yum")
    assert {"/", "/@old%20one/"} <= set(below.links)
    (field,) = [each for each in below.all("input") if each.get("name") == "bundle"]
    assert field["value"] == site.bundles[1].short_id


def test_every_name_has_a_relative_link_that_leads_to_it(site: Site) -> None:
    for path in ("", "yum", "k8simage/blobs", "@old one/yum"):
        found = directory(site, path)
        wanted = [f"/{path}/{entry.name}".replace("//", "/") for entry in found.entries if entry.name[0] != "@"]
        assert set(wanted) <= set(_lead_to(_page(site, path), path))


def test_packages_have_their_summary_and_what_vouches_for_them(site: Site) -> None:
    page = _page(site, "yum")
    assert "libstdc++-4.8.5-44.el7.x86_64.rpm" in page.links
    assert "GNU Standard C++ Library" in page.text
    assert "Signed, key 24c6a8a7f4a80eb5" in page.text
    assert "baseurl=http://master:8088/yum/" in page.text
    assert "baseurl=ftp://master/yum/" in page.text


def test_images_have_names_platforms_and_digest(site: Site) -> None:
    page = _page(site, "k8simage")
    assert "registry.k8s.io/kube-proxy:v1.22.1" in page.text
    assert "k8s.gcr.io/kube-proxy:v1.22.1" in page.text
    (proxy,) = (one for one in bundle_images(kubeedge_files()) if "kube-proxy" in str(one.names[0]))
    assert str(proxy.digest) in page.text
    assert "linux/amd64 linux/arm64" in page.text


def test_same_site_gives_the_same_bytes(site: Site) -> None:
    one, two = (Pages().directory(site, directory(site, "yum"), view()) for _ in range(2))
    assert one == two
    assert one.etag == f'"{hashlib.sha256(one.body).hexdigest()}"'


def test_faults_are_named_and_their_files_marked(site: Site) -> None:
    assert site.current is not None
    faults = [f"{site.current.short_id}/yum/local.repo", "0123456789ab/of/another"]
    page = _page(site, "", view(faults=faults))
    assert "Incomplete 1 file is missing or was changed" in page.text
    assert "yum/local.repo" in page.text
    assert "of/another" not in page.text
    assert _page(site, "yum", view(faults=faults)).text.count("Not served: missing or changed") == 1


def test_a_comparison_shows_how_far_it_is_and_what_came_of_it(site: Site) -> None:
    assert site.current is not None
    half = site.current.content_bytes // 2
    running = view(comparisons={site.current.number: Comparison(False, 7, half, 0)})
    page = _page(site, "", running)
    assert "Comparing digests 7 of 50 files, " in page.text
    (bar,) = page.all("progress")
    assert bar["value"] == "50"
    assert bar["data-progress"] == f"/-/compare.json?bundle={site.current.short_id}"
    assert [each for each in page.all("form") if each.get("method") == "post"] == []
    # the other bundle waits
    assert "Another bundle is being compared" in _page(site, "@old one", running).text
    over = Comparison(True, 50, 2 * half, 0, 1_700_000_000)
    page = _page(site, "", view(comparisons={site.current.number: over}))
    assert "Digests verified Each file was read while the mirror serves" in page.text
    assert "done 2023-11-14 22:13 UTC" in page.text
    assert page.all("progress") == []


def test_what_a_comparison_found_wrong_is_told(site: Site) -> None:
    assert site.current is not None
    faults = [f"{site.current.short_id}/yum/local.repo"]
    over = Comparison(True, 50, 1, 1, 1_700_000_000)
    page = _page(site, "", view(faults=faults, comparisons={site.current.number: over}))
    assert "Digests do not match" in page.text


def test_many_faults_are_counted(site: Site) -> None:
    assert site.current is not None
    faults = [f"{site.current.short_id}/{file.path}" for file in kubeedge_files()]
    assert "and 40 more" in _page(site, "", view(faults=faults)).text


def test_missing_file_is_a_fault_and_marked(tmp_path: Path) -> None:
    write_tree(make_index([listed("a", 1), listed("b", 1)]), tmp_path)
    (tmp_path / "b").unlink()
    with served(tmp_path, {}) as site:
        page = _page(site, "")
    assert page.text.count("Not served: missing or changed") == 1
    assert "Incomplete 1 file is missing" in page.text


def test_language_of_everything(site: Site) -> None:
    page = _page(site, "", view(language="zh", snippets=snippets_for(REACH)))
    assert page.all("html")[0]["lang"] == "zh-CN"
    assert "接入一台机器" in page.text
    assert "Copy" not in page.text
    switch = [each for each in page.all("button") if each.get("name") == "lang"]
    assert [each["value"] for each in switch] == ["en"]


def test_links_carry_the_language_only_without_a_cookie(site: Site) -> None:
    assert not any("lang=" in link for link in _page(site, "", view("lang=zh", language="zh")).links)
    carried = _page(site, "", view("lang=zh", language="zh", carry=True))
    assert "yum/?lang=zh" in carried.links
    assert "bundle.json" in carried.links


def test_snippets_stand_grouped_by_tool_on_the_start_page_alone(site: Site) -> None:
    odd = Snippet("x y.sh", "podman", "Title", "标题", "line one\n\tline two\n", True)
    page = _page(site, "", view(snippets=[*snippets_for(REACH), odd]))
    assert len(page.all("details")) == 4
    assert "yum and dnf" in page.text
    assert "podman" in page.text
    assert "line one\n\tline two" in "".join(page.texts)
    assert "/-/client/x%20y.sh" in page.links
    assert _page(site, "yum", view(snippets=snippets_for(REACH))).all("details") == []


def test_mirror_without_a_current_bundle_says_so(tmp_path: Path) -> None:
    with served(tmp_path, {"a": make_index([listed("f", 1)], name="a"), "b": make_index([], name="b")}) as site:
        page = _page(site, "")
    assert "No bundle is current" in page.text
    assert [link for link in page.links if link.startswith("/@")] == ["/@a/", "/@b/"]
    assert page.unclosed == []


def test_shared_directories_are_marked(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "notes.txt").write_text("x")
    descriptor = os.open(tmp_path / "shared", os.O_RDONLY)
    share = Share("extra/notes", descriptor)
    with served(tmp_path / "root", {"": make_index([listed("f", 1)])}, shares=[share]) as site:
        assert "extra/" in _page(site, "").links
        below = _page(site, "extra/notes")
    os.close(descriptor)
    assert "Not verified. This directory is shared as it is." in below.text
    assert "notes.txt" in below.links


def test_root_without_bundles_is_served_as_shared(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with served(tmp_path, {}, shares=[Share("", descriptor)]) as site:
        page = _page(site, "")
    os.close(descriptor)
    assert "Shared directory" in page.text
    assert "a.txt" in page.links


def test_long_directory_comes_in_pages_that_together_have_all(tmp_path: Path) -> None:
    names = [f"file-{number:04}" for number in range(2 * ROWS_PER_PAGE + 5)]
    with served(tmp_path, {"": make_index([listed(f"d/{name}", 1) for name in names])}) as site:
        pages = [_page(site, "d", view(f"page={number}")) for number in (1, 2, 3)]
    assert sorted(link for page in pages for link in page.links if link.startswith("file-")) == names
    assert all({"./", "./?page=2", "./?page=3"} <= set(page.links) for page in pages)
    assert "201 to 400 of 405" in pages[1].text


def test_protocols_that_are_off_are_not_named(site: Site) -> None:
    page = _page(site, "yum", view(reach=Reach("::1", 8443, True, None)))
    assert "baseurl=https://[::1]:8443/yum/" in page.text
    assert "ftp://" not in page.text
