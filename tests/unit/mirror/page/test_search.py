"""The search page, and its answers for the script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mirror.page.pages import RESULTS_PER_PAGE, SUGGESTIONS, Pages
from mirror.page.view import MAX_SEARCH_CHARACTERS, Asked
from tests.fakes.page_views import served, view
from tests.fakes.served_tree import kubeedge_files, listed, make_index, rpm
from tests.unit.mirror.page.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A root with a current bundle and another one."""
    bundles = {
        "new": make_index(kubeedge_files(), name="new"),
        "old": make_index([rpm("yum", "kubeadm-1.20.0-0.x86_64", "An older one")], name="old"),
    }
    with served(tmp_path, bundles, current="new") as made:
        yield made


def _answer(site: Site, query: str) -> Any:
    rendered = Pages().search_data(site, view(query))
    assert rendered.media_type == "application/json"
    return json.loads(rendered.body)


def test_page_lists_what_matches_with_links_to_it(site: Site) -> None:
    page = Parsed(Pages().search(site, view("q=KUBEADM")).body)
    assert "/yum/kubeadm-1.22.1-0.x86_64.rpm" in page.links
    assert "1 result" in page.text
    assert "1.20.0" not in page.text
    assert page.unclosed == []


def test_image_leads_to_its_page(site: Site) -> None:
    (result,) = _answer(site, "q=flannel")["results"]
    assert result["href"].startswith("/-/image/")
    assert result["kind"] == "Image"


def test_another_bundle_is_searched_by_its_id(site: Site) -> None:
    old = next(bundle for bundle in site.bundles if bundle.directory == "old")
    (result,) = _answer(site, f"q=kubeadm&bundle={old.short_id}")["results"]
    assert result["href"] == "/@old/yum/kubeadm-1.20.0-0.x86_64.rpm"


def test_without_a_current_bundle_all_are_searched(tmp_path: Path) -> None:
    bundles = {name: make_index([listed(f"{name}.txt", 1, url="u")], name=name) for name in ("a", "b")}
    with served(tmp_path, bundles) as site:
        found = _answer(site, "q=txt")
    assert [(result["href"], result["bundle"]) for result in found["results"]] == [
        ("/@a/a.txt", "a 1"),
        ("/@b/b.txt", "b 1"),
    ]


def test_groups_are_counted_and_chosen(site: Site) -> None:
    page = Parsed(Pages().search(site, view("q=kube&kind=image")).body)
    assert "All 12 RPM packages 3 Images 5 Files 4 Metadata and layers 0" in page.text.replace("  ", " ")
    assert "kubectl" not in page.text
    assert "/-/search?q=kube&kind=rpm" in page.links


def test_empty_search_of_a_group_lists_it(site: Site) -> None:
    assert "12 results" in Parsed(Pages().search(site, view("kind=rpm")).body).text


def test_nothing_found_says_what_to_try(site: Site) -> None:
    page = Parsed(Pages().search(site, view("q=no-such-thing")).body)
    assert "Nothing here matches." in page.text


def test_answer_is_short_and_says_how_many_there_are(tmp_path: Path) -> None:
    files = [rpm("yum", f"p{number}-1-1.noarch", "one of many") for number in range(RESULTS_PER_PAGE + 1)]
    with served(tmp_path, {"": make_index(files)}) as site:
        found = _answer(site, "q=many")
        second = Parsed(Pages().search(site, view("q=many&page=2")).body)
    assert (found["schema"], found["total"], len(found["results"])) == ("mirror.search/1", 101, SUGGESTIONS)
    assert "101 to 101 of 101" in second.text
    assert "/-/search?q=many" in second.links


def test_answer_to_nothing_is_empty(site: Site) -> None:
    assert _answer(site, "q=++")["results"] == []


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", Asked()),
        ("q=a+b%20c&lang=zh&kind=rpm&page=12&bundle=0123456789ab", Asked("zh", "a b c", "rpm", "0123456789ab", 12)),
        ("lang=de&kind=x&page=0&bundle=0123", Asked()),
        ("page=99999999999999999999", Asked()),
        ("page=٣", Asked()),
        ("q=a&q=b", Asked(search="b")),
        ("q=%ff", Asked(search="\ufffd")),
        ("&" * 100 + "q=a", Asked()),
        ("=&==&&;", Asked()),
        (f"q={'x' * 5000}", Asked(search="x" * MAX_SEARCH_CHARACTERS)),
    ],
)
def test_query_that_cannot_be_understood_counts_as_not_asked(query: str, asked: Asked) -> None:
    assert Asked.parse(query) == asked
