"""A directory's entries, and images, in the order that is asked for, and those alone whose names hold some words. Pure.

The server does it, so that pages of a long list are in one order, and browsers without scripts have it too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mirror.page.listing import file_kind
from mirror.tree.lazy import Lazy, joined
from mirror.tree.served import DirectoryEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mirror.page.catalog import Catalog, Item
    from mirror.page.sort_order import SortOrder
    from mirror.tree.served import Directory
    from mirror.tree.served_bundle import Total

# a longer list is shown as it is written down: every entry would have to be looked at for each page of it
MAX_ORDERED = 2000
_DIGITS = re.compile(r"([0-9]+)")

NaturalKey = tuple[list[str | int], str]


def natural_key(text: str) -> NaturalKey:
    """Return what names sort by as people count: `v1.9` before `v1.10`, without regard to case."""
    pieces: list[str | int] = [*_DIGITS.split(text.casefold())]
    # words and numbers take turns
    pieces[1::2] = map(int, pieces[1::2])
    return pieces, text


def filter_words(text: str) -> tuple[str, ...]:
    """Return the words that a name has to hold."""
    return tuple(text.casefold().split())


class OrderedEntries:
    """Puts a directory's entries in order, directories first.

    Arguments:
        names: of the directories that belong to the list.
        catalog: of the directory's bundle, None without one.
        total: gives what lies below a directory by its name, None where nobody knows.
    """

    def __init__(
        self,
        directory: Directory,
        names: Sequence[str],
        catalog: Catalog | None,
        total: Callable[[str], Total | None],
    ) -> None:
        self._directory = directory
        self._names = names
        self._catalog = catalog
        self._total = total

    @property
    def can_be_ordered(self) -> bool:
        """Whether there are few enough of them."""
        return len(self._names) + len(self._directory.files) <= MAX_ORDERED

    def all(self) -> Sequence[DirectoryEntry]:
        """Return all as they are written down, made when somebody looks."""
        below = Lazy(range(len(self._names)), lambda place: DirectoryEntry(self._names[place], None))
        return joined((below, self._directory.files))

    def chosen(self, order: SortOrder, words: Sequence[str]) -> Sequence[DirectoryEntry]:
        """Return those whose names hold all words, in an order; all as they are written down where that is too much."""
        if not self.can_be_ordered:
            return self.all()
        parts = [DirectoryEntry(name, None) for name in self._names], list(self._directory.files)
        return [
            entry
            for part in parts
            for entry in self._sorted([each for each in part if _holds(each.name, words)], order)
        ]

    def _sorted(self, entries: list[DirectoryEntry], order: SortOrder) -> list[DirectoryEntry]:
        # names decide between equals, and do so the same way round for either order
        entries.sort(key=lambda entry: natural_key(entry.name))
        match order.column:
            case "name":
                return entries[::-1] if order.descending else entries
            case "kind":
                return sorted(entries, key=self._kind, reverse=order.descending)
            case "size":
                return sorted(entries, key=self._size, reverse=order.descending)
            case "date":
                return sorted(
                    entries, key=lambda each: each.file.modified_s if each.file else 0, reverse=order.descending
                )

    def _kind(self, entry: DirectoryEntry) -> str:
        if entry.file is None:
            return ""
        is_listed = self._catalog is not None and entry.file.bundle
        return file_kind(entry.file.path, self._catalog.at(entry.file.path) if self._catalog and is_listed else None)

    def _size(self, entry: DirectoryEntry) -> int:
        if entry.file is not None:
            return entry.file.size
        total = self._total(entry.name)
        return 0 if total is None else total.size


def ordered_images(images: Sequence[Item], order: SortOrder) -> Sequence[Item]:
    """Return images in an order."""
    if len(images) > MAX_ORDERED:
        return images
    found = sorted(images, key=lambda item: natural_key(item.title))
    if order.column == "size":
        return sorted(found, key=lambda item: item.size, reverse=order.descending)
    return found[::-1] if order.descending else found


def _holds(name: str, words: Sequence[str]) -> bool:
    folded = name.casefold()
    return all(word in folded for word in words)
