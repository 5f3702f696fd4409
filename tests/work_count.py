"""What work costs, counted and never timed: it does not depend on how fast the machine is, or how busy.

What runs in Python has lines to count. What runs inside of a library has not: there a test takes a size of which the
square would keep a machine busy for many minutes, and gives up long before.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# what is right takes less than a second
GIVEN_UP_AFTER_S = 60.0


def executed_lines(work: Callable[[], object]) -> int:
    """Return how many lines of Python a call runs in this thread, its own and those of all that it calls."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@contextmanager
def called_functions() -> Iterator[set[str]]:
    """Give the names of the functions of Python that this thread calls until the block ends."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            called.add(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)


@contextmanager
def giving_up(after_s: float = GIVEN_UP_AFTER_S) -> Iterator[None]:
    """Fail what would compute for ever; in the main thread only.

    Arguments:
        after_s: how long this process may compute, which is a hundred times and more of what it needs.
    """

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"given up after {after_s:g} s of computing")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, after_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
