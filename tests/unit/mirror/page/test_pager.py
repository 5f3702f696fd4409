"""Long lists in pages."""

from __future__ import annotations

from mirror.page.pager import MAX_LINKS, page_of


def test_short_list_has_no_links() -> None:
    page = page_of([1, 2], 1, 10, "./", {})
    assert (page.things, page.first, page.last, page.total, page.links) == ([1, 2], 1, 2, 2, ())


def test_empty_list_is_one_page() -> None:
    assert page_of([], 7, 10, "./", {})[1:4] == (0, 0, 0)


def test_every_page_has_a_link_so_that_wget_finds_all() -> None:
    page = page_of(list(range(95)), 2, 10, "./", {"lang": "zh"})
    assert page.things == list(range(10, 20))
    assert [link.href for link in page.links] == [
        "./?lang=zh",
        *(f"./?lang=zh&page={number}" for number in range(2, 11)),
    ]
    assert [link.number for link in page.links if link.current] == [2]


def test_first_page_has_one_address_alone() -> None:
    assert page_of(list(range(20)), 1, 10, "./", {}).links[0].href == "./"


def test_number_beyond_the_end_is_the_last_page() -> None:
    assert page_of(list(range(25)), 99_999, 10, "./", {}).things == [20, 21, 22, 23, 24]


def test_very_long_list_has_gaps() -> None:
    links = page_of(range(100_000), 300, 200, "./", {}).links
    assert [link.number for link in links] == [1, 0, 297, 298, 299, 300, 301, 302, 303, 0, 500]
    assert len(links) < MAX_LINKS
