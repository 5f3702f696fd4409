"""By what a list is sorted, as an address says it, and what the heads of its columns ask for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

SortColumn = Literal["name", "kind", "size", "date"]
SORT_COLUMNS: tuple[SortColumn, ...] = get_args(SortColumn)
# whoever sorts by these wants the largest, the newest first
_DESCENDING_FIRST = ("size", "date")


class SortOrder(NamedTuple):
    """By which column, and which way."""

    column: SortColumn = "name"
    descending: bool = False

    @classmethod
    def parse(cls, text: str) -> SortOrder:
        """Read what a query says: a column, behind a minus for the other way; by name for what cannot be read."""
        column = text.removeprefix("-")
        found = next((each for each in SORT_COLUMNS if each == column), None)
        return BY_NAME if found is None else cls(found, descending=text.startswith("-"))

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column

    @property
    def is_usual(self) -> bool:
        """Whether it is the one that nobody has to ask for."""
        return self == BY_NAME


BY_NAME = SortOrder()


class SortHead(NamedTuple):
    """The head of a column that can be sorted by.

    Arguments:
        asks: what a query says that sorts by it: the other way round when it is sorted by already.
        direction: `ascending` or `descending` as it is sorted by now, "" for not (WAI-ARIA 1.2, aria-sort).
    """

    column: SortColumn
    asks: str
    direction: str


def sort_heads(order: SortOrder, columns: Sequence[SortColumn] = SORT_COLUMNS) -> tuple[SortHead, ...]:
    """Return a list's heads."""
    heads = []
    for column in columns:
        is_own = column == order.column
        descending = not order.descending if is_own else column in _DESCENDING_FIRST
        direction = ("descending" if order.descending else "ascending") if is_own else ""
        heads.append(SortHead(column, str(SortOrder(column, descending)), direction))
    return tuple(heads)
