"""Sequences whose members are made when somebody looks at them: a list of 50,000 costs nothing until then. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar, overload

T = TypeVar("T")


class Lazy(Sequence[T]):
    """What `make` makes of each of some numbers, made anew each time.

    Arguments:
        numbers: a slice of the sequence takes a slice of them.
    """

    __slots__ = ("_make", "_numbers")

    def __init__(self, numbers: Sequence[int], make: Callable[[int], T]) -> None:
        self._numbers = numbers
        self._make = make

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...

    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if isinstance(place, slice):
            return Lazy(self._numbers[place], self._make)
        return self._make(self._numbers[place])


def joined(parts: Sequence[Sequence[T]]) -> Sequence[T]:
    """Return one sequence of several, end to end."""
    ends = list(accumulate(map(len, parts)))

    def member(place: int) -> T:
        part = bisect_right(ends, place)
        return parts[part][place - (ends[part - 1] if part else 0)]

    return Lazy(range(ends[-1] if ends else 0), member)
