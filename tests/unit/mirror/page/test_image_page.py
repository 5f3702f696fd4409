"""The page of one image: what it is made of, what to type for it, where its links lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mirror.client.pull_snippets import GivenName, pull_snippets
from mirror.page.pages import Pages, image_in
from mirror.tree.image_contents import ImageContents, ImageLayer, PlatformContents, image_contents
from tests.fakes.page_views import REACH, directory, served, view
from tests.fakes.served_tree import kubeedge_files, make_index
from tests.unit.mirror.page.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.page.languages import Language
    from mirror.tree.site import Site

NAME = "registry.k8s.io/kube-proxy:v1.22.1"
LAYER = f"sha256:{'ab' * 32}"
CONTENTS = ImageContents(
    (
        PlatformContents("linux/amd64", f"sha256:{'1' * 64}", 1_628_000_000, (
            ImageLayer(LAYER, 3 * 1024 * 1024, "application/vnd.oci.image.layer.v1.tar+gzip"),
            ImageLayer(LAYER, 1024, "application/vnd.oci.image.layer.v1.tar+zstd"),
            ImageLayer(LAYER, 1024, "application/vnd.docker.image.rootfs.diff.tar"),
        )),
    ),
    unread=1,
)  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A root with two bundles, the newer one current."""
    bundles = {name: make_index(kubeedge_files(), name="kubeedge", release=name) for name in ("new", "old")}
    with served(tmp_path, bundles, current="new") as made:
        yield made


def _page(site: Site, place: int = 0, language: Language = "en") -> Parsed:
    bundle = site.bundles[place]
    digests = [link.removeprefix("/-/image/") for link in _images(site).links if link.startswith("/-/image/")]
    (item,) = [found for digest in digests if (found := image_in(bundle, digest)) and found.title == NAME]
    snippets = pull_snippets((GivenName(NAME, "library/kube-proxy:v1.22.1", by_original=True),), REACH)
    looks = view(f"bundle={bundle.short_id}" if place else "", language=language, snippets=snippets)
    return Parsed(Pages().image(site, bundle, item, CONTENTS, looks).body)


def _images(site: Site) -> Parsed:
    return Parsed(Pages().directory(site, directory(site, "k8simage"), view()).body)


def test_it_says_what_the_image_is_and_what_it_is_made_of(site: Site) -> None:
    page = _page(site)
    assert page.unclosed == []
    for said in (
        NAME,
        "Also known as k8s.gcr.io/kube-proxy:v1.22.1",
        "Created 2021-08-03 14:13 UTC",
        "Pinned when first seen",
        "linux/amd64 3 layers · 3.0 MiB",
        "1 platform of this image cannot be shown",
        "docker pull master:8088/library/kube-proxy:v1.22.1",
        "podman pull registry.k8s.io/kube-proxy:v1.22.1",
        "Complete",
    ):
        assert said in page.text
    assert [page.text.count(word) for word in ("gzip", "zstd", "none")] == [1, 1, 1]
    assert f"/k8simage/blobs/sha256/{'ab' * 32}" in page.links
    assert {"/", "/k8simage/", "/#connect"} <= set(page.links)


def test_that_of_another_bundle_stays_in_it(site: Site) -> None:
    page = _page(site, 1)
    assert f"/@old/k8simage/blobs/sha256/{'ab' * 32}" in page.links
    assert "/@old/k8simage/" in page.links
    hidden = [each for each in page.all("input") if each.get("name") == "bundle"]
    assert {each["value"] for each in hidden} == {site.bundles[1].short_id}


def test_it_speaks_both_languages(site: Site) -> None:
    page = _page(site, language="zh")
    assert "从本站拉取" in page.text
    assert "3 层" in page.text


@pytest.mark.parametrize("digest", ["", "0" * 64, "../../bundle.json", "zz"])
def test_what_is_no_image_has_no_page(site: Site, digest: str) -> None:
    assert image_in(site.bundles[0], digest) is None


def test_documents_that_cannot_be_read_are_counted(site: Site) -> None:
    # the files of this tree have nothing in them
    links = (link for link in _images(site).links if link.startswith("/-/image/"))
    assert image_contents(site.bundles[0], next(links).removeprefix("/-/image/")) == ImageContents((), 1)
    assert image_contents(site.bundles[0], "0" * 64) == ImageContents((), 1)
