"""One row of the table, and how often something is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Row(NamedTuple):
    """One comparison, as it is printed; `of` is how many there are, where something is counted."""

    name: str
    ours: str
    theirs: str
    of: str = ""


def refusals(read: Callable[[T], object], cases: Iterable[T]) -> int:
    """Return how many of the cases raise an exception, of whatever kind: libraries have many."""
    refused = 0
    for case in cases:
        try:
            read(case)
        except Exception:  # noqa: BLE001 - see above
            refused += 1
    return refused
