"""Whatever a bundle, a Host field or a query says is text: never markup, never a link to elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pytest

from bundler.model.digest import Digest
from bundler.model.image.oci import OCI_INDEX
from mirror.client.reach import Reach, Snippet
from mirror.page.pages import Pages
from tests.fakes.page_views import directory, served, view
from tests.fakes.served_tree import listed, make_index
from tests.unit.mirror.page.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.site import Site

MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><a href=javascript:alert(1)>"
    "{{ 'tem' ~ 'plate' }}{% raw %}"
)
NAMES = (
    "javascript:alert(1)",
    "http:",
    "a?b#c%41",
    '"><script>x<',
    "' onclick='x",
    "{{ 'tem' ~ 'plate' }}",
    " leading and trailing ",
    "..leading",
    "~tilde+plus",
    "名字 عربي",
    "gpj.\u200bexe",
    "@at",
)
EXPECTED_SCRIPTS = 2
BLOBS = "k8simage/blobs/sha256"
IMAGE = f"{BLOBS}/image"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A bundle of names and words made to break out."""
    files = [listed(f"d/{name}", 1, url="javascript:alert(1)") for name in NAMES if "/" not in name]
    files.append(
        listed("d/p.rpm", 1, nevra=MARKUP, summary=MARKUP + "\u202e\0", held_to={"by": MARKUP, "detail": MARKUP})
    )
    files.append(listed("k8simage/oci-layout", 1))
    files.append(
        listed(
            IMAGE, 1, names=[MARKUP, "docker.io/a/b:1", "b"], images=["docker.io/a/b:1", MARKUP], media_type=OCI_INDEX,
            digest=str(Digest.sha256(IMAGE.encode())), held_to={"by": "signature", "detail": MARKUP + "\u202e\0"},
        )
    )  # fmt: skip
    # names that no registry could have: this is no image
    files.append(listed(f"{BLOBS}/none", 1, names=[MARKUP], images=[MARKUP], media_type=MARKUP))
    with served(tmp_path, {"": make_index(files)}) as made:
        yield made


def _assert_harmless(body: bytes) -> Parsed:
    page = Parsed(body)
    assert page.unclosed == []
    assert len(page.all("script")) == EXPECTED_SCRIPTS
    assert all("src" in each for each in page.all("script"))
    assert all(each["src"].startswith("/-/assets/") for each in page.all("img"))
    for name, attributes in page.elements:
        assert name not in ("style", "iframe", "object", "base")
        assert not any(key.startswith("on") or key == "style" for key in attributes)
    for link in page.links:
        split = urlsplit(link)
        assert (split.scheme, split.netloc) == ("", ""), link
    assert "template" not in page.text
    assert not set(page.text) & {"\u202e", "\0"}
    return page


def test_names_are_text_and_their_links_lead_to_them(site: Site) -> None:
    page = _assert_harmless(Pages().directory(site, directory(site, "d"), view()).body)
    leads = {unquote(link) for link in page.links}
    assert set(NAMES) <= leads
    assert "gpj.[U+200B]exe" in page.text


def test_images_are_text(site: Site) -> None:
    page = _assert_harmless(Pages().directory(site, directory(site, "k8simage"), view()).body)
    assert "a/b:1" in page.text
    assert MARKUP in "".join(page.texts)
    page = _assert_harmless(Pages().directory(site, directory(site, BLOBS), view()).body)
    assert MARKUP in "".join(page.texts)


@pytest.mark.parametrize("query", [MARKUP, "\u202e\0", "%s%n{0}{x}", "\ud800".encode("utf-8", "replace").decode()])
def test_search_is_text(site: Site, query: str) -> None:
    looks = view(f"q={quote(query)}&kind=%3Cscript%3E&bundle=..%2F&page=-1&lang=%22")
    _assert_harmless(Pages().search(site, looks).body)
    _assert_harmless(Pages().search(site, view("q=p")).body)
    Pages().search_data(site, looks)


def test_host_and_snippets_are_text(site: Site) -> None:
    reach = Reach(MARKUP, 80, False, 21)
    snippet = Snippet(MARKUP, MARKUP, MARKUP, MARKUP, f"{MARKUP}\n\u202e\0", False, MARKUP)
    page = _assert_harmless(Pages().directory(site, directory(site, ""), view(reach=reach, snippets=[snippet])).body)
    assert MARKUP in "".join(page.texts)


@pytest.mark.parametrize("path", [MARKUP, f"/a/{MARKUP}", "\0\u202e", "//evil.example/x", "", "/" * 5000, "a/" * 5000])
@pytest.mark.parametrize("status", [400, 404, 414, 503])
def test_path_that_was_refused_is_text(site: Site, status: int, path: str) -> None:
    _assert_harmless(Pages().problem(status, view(), path=path, site=site).body)
    plain = Pages().problem(status, view(), path=path, plain=True).body.decode()
    assert len(plain.splitlines()) == 3
    assert len(plain) < 2000
