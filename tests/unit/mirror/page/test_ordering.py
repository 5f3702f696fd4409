"""A directory sorted and filtered as an address asks for: versions as people count, every page of a long list alike."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from mirror.page.ordering import MAX_ORDERED, natural_key
from mirror.page.pages import Pages
from mirror.page.sort_order import BY_NAME, SORT_COLUMNS, SortOrder, sort_heads
from tests.fakes.page_views import directory, served, view
from tests.fakes.served_tree import kubeedge_files, listed, make_index
from tests.unit.mirror.page.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.site import Site

VERSIONS = ["app-1.2-1.rpm", "app-1.9-1.rpm", "app-1.10-1.rpm", "App-1.10-2.rpm", "v1.22.1", "v1.22.10"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A bundle with versions in one of its directories."""
    sizes = {name: 100 - place for place, name in enumerate(VERSIONS)}
    files = [*kubeedge_files(), *(listed(f"d/{name}", size) for name, size in sizes.items())]
    files += [listed("d/z/large", 7000), listed("d/y/small", 5)]
    with served(tmp_path, {"": make_index(files)}) as made:
        yield made


def _page(site: Site, path: str, query: str = "") -> Parsed:
    return Parsed(Pages().directory(site, directory(site, path), view(query)).body)


def _names(page: Parsed) -> list[str]:
    """Return the rows' links, without the one upwards."""
    return [link for link in page.links if not link.startswith(("/", "#", "?", "..", "./"))]


def test_numbers_count_as_numbers() -> None:
    shuffled = random.Random(1).sample(VERSIONS, len(VERSIONS))
    assert sorted(shuffled, key=natural_key) == VERSIONS
    assert natural_key("1") < natural_key("a")
    assert natural_key("é2") != natural_key("é02")


@pytest.mark.parametrize("text", ["", "-", "nothing", "--name", "Name", "name,size", "-size "])
def test_what_cannot_be_read_is_by_name(text: str) -> None:
    assert SortOrder.parse(text) == BY_NAME


@pytest.mark.parametrize("column", SORT_COLUMNS)
def test_each_column_goes_both_ways(column: str) -> None:
    for text in (column, f"-{column}"):
        assert str(SortOrder.parse(text)) == text


def test_a_head_asks_for_the_other_way() -> None:
    heads = {head.column: head for head in sort_heads(SortOrder.parse("size"))}
    assert (heads["size"].asks, heads["size"].direction) == ("-size", "ascending")
    assert (heads["name"].asks, heads["name"].direction) == ("name", "")
    assert heads["date"].asks == "-date"
    assert sort_heads(BY_NAME)[0].asks == "-name"


def test_by_name_directories_come_first(site: Site) -> None:
    assert _names(_page(site, "d")) == ["y/", "z/", *VERSIONS]
    assert _names(_page(site, "d", "sort=-name")) == ["z/", "y/", *reversed(VERSIONS)]


def test_by_size_directories_count_what_is_in_them(site: Site) -> None:
    assert _names(_page(site, "d", "sort=size")) == ["y/", "z/", *reversed(VERSIONS)]
    assert _names(_page(site, "d", "sort=-size")) == ["z/", "y/", *VERSIONS]


def test_by_kind_and_date_equals_stay_by_name(site: Site) -> None:
    assert _names(_page(site, "d", "sort=-date"))[:3] == ["y/", "z/", VERSIONS[0]]
    names = _names(_page(site, "yum", "sort=kind"))
    assert names.index("local.repo") < names.index("kubelet-1.22.1-0.x86_64.rpm")


def test_the_sorted_column_is_told_and_the_heads_are_buttons(site: Site) -> None:
    page = _page(site, "d", "sort=-size")
    assert [head.get("aria-sort", "") for head in page.all("th") if head.get("scope") == "col"] == [
        "", "", "descending", "", ""
    ]  # fmt: skip
    buttons = [(each["name"], each["value"]) for each in page.all("button") if each.get("class") == "sort"]
    assert buttons == [("sort", "name"), ("sort", "kind"), ("sort", "size"), ("sort", "-date")]
    assert page.unclosed == []


def test_a_filter_keeps_names_that_hold_every_word(site: Site) -> None:
    page = _page(site, "d", "filter=APP+1.10&sort=-name")
    assert _names(page) == ["App-1.10-2.rpm", "app-1.10-1.rpm"]
    assert "2 entries" in page.text
    (field,) = [each for each in page.all("input") if each.get("id") == "filter"]
    assert field["value"] == "APP 1.10"
    # sorting keeps the filter, the language switch both
    hidden = [(each["name"], each["value"]) for each in page.all("input") if each.get("type") == "hidden"]
    assert hidden.count(("sort", "-name")) == 1
    (submit,) = [each for each in page.all("button") if each.get("class") == "action"]
    assert (submit["name"], submit["value"]) == ("sort", "-name")
    assert ("filter", "APP 1.10") in hidden
    assert "No name in this directory holds" in _page(site, "d", "filter=nothing-like-it").text


def test_pages_of_a_long_list_are_in_one_order(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(450)]
    with served(tmp_path, {"": make_index([listed(f"d/{name}", 1) for name in names])}) as site:
        pages = [_page(site, "d", f"sort=-name&page={number}") for number in (1, 2, 3)]
        filtered = _page(site, "d", "filter=f1")
    assert [name for page in pages for name in _names(page)] == names[::-1]
    assert "./?sort=-name&page=2" in pages[0].links
    assert len(_names(filtered)) == 111


def test_a_list_that_is_too_long_is_not_looked_through(tmp_path: Path) -> None:
    files = [listed(f"d/f{number}", 1) for number in range(MAX_ORDERED + 1)]
    with served(tmp_path, {"": make_index(files)}) as site:
        page = _page(site, "d", "sort=-name&filter=f7")
    assert _names(page)[:2] == ["f0", "f1"]
    assert not any(each.get("class") == "sort" for each in page.all("button"))
    assert not any(each.get("id") == "filter" for each in page.all("input"))


def test_images_are_sorted_by_themselves(site: Site) -> None:
    by_name, by_size = (_page(site, "k8simage", query).text for query in ("", "imagesort=-size"))
    assert by_name.index("docker.io/library/eclipse-mosquitto") < by_name.index("quay.io/coreos/flannel")
    # two platforms of 40 MiB each
    assert by_size.index("installation-package") < by_size.index("coreos/flannel") < by_size.index("eclipse-mosquitto")
