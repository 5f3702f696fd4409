"""What a worker asks of a thread for work that takes too long for its event loop; each protocol has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Executor(Protocol):
    """A thread for what takes long."""

    def run(self, work: Callable[[], Result], then: Callable[[Result | None], None]) -> None:
        """Have `work` done in the thread, and `then` called with its result on the event loop; None when it failed."""
