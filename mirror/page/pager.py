"""A long list in pages. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from mirror.page.links import query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# with fewer pages each has a link, so that `wget -r` reaches all of them without going deep
MAX_LINKS = 48
_AROUND = 3
Thing = TypeVar("Thing")


class PageLink(NamedTuple):
    """A link of the pager; number 0 is a gap."""

    number: int
    href: str
    current: bool


class Page(NamedTuple, Generic[Thing]):
    """One page of a list.

    Arguments:
        things: what is on it.
        first, last, total: which of how many, from 1; all 0 when there is nothing.
        links: to the pages, empty when there is one alone.
    """

    things: Sequence[Thing]
    first: int
    last: int
    total: int
    links: tuple[PageLink, ...]


def page_of(things: Sequence[Thing], number: int, size: int, base: str, values: Mapping[str, str | int]) -> Page[Thing]:
    """Return a page of a list; a number beyond the last one is the last.

    Arguments:
        number: from 1.
        size: things on a page.
        base: the links' reference before their query.
        values: what the queries say beside the page's number; the first page has none, so that it has one URL alone.
    """
    pages = max(1, -(-len(things) // size))
    number = min(number, pages)
    start = (number - 1) * size
    part = things[start : start + size]
    numbers = _numbers(number, pages) if pages > 1 else ()
    links = tuple(PageLink(n, base + query({**values, "page": n if n > 1 else 0}), n == number) for n in numbers)
    return Page(part, start + 1 if part else 0, start + len(part), len(things), links)


def _numbers(number: int, pages: int) -> tuple[int, ...]:
    if pages <= MAX_LINKS:
        return tuple(range(1, pages + 1))
    shown = sorted({1, pages, *range(max(1, number - _AROUND), min(pages, number + _AROUND) + 1)})
    with_gaps = [shown[0]]
    for before, after in pairwise(shown):
        with_gaps += [0, after] if after > before + 1 else [after]
    return tuple(with_gaps)
