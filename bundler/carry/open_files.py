"""Many files of which few are open at once: a set may have more of them than a process may open."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import ExitStack
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

F = TypeVar("F")
MAX_OPEN = 64


class OpenFiles(Generic[F]):
    """Files by their number, each open since it was last asked for, as long as not too many others were.

    Arguments:
        opened: opens one.
    """

    def __init__(self, opened: Callable[[int], AbstractContextManager[F]]) -> None:
        self._opened = opened
        self._files: OrderedDict[int, tuple[F, ExitStack]] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._files:
            self._close_oldest()

    def __getitem__(self, number: int) -> F:
        """Return an open file; raises what opening it raises."""
        if number not in self._files:
            if len(self._files) >= MAX_OPEN:
                self._close_oldest()
            closing = ExitStack()
            self._files[number] = (closing.enter_context(self._opened(number)), closing)
        self._files.move_to_end(number)
        return self._files[number][0]

    def _close_oldest(self) -> None:
        _, (_, closing) = self._files.popitem(last=False)
        closing.close()
