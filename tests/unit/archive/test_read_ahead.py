from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bundler.archive.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Generator


def test_items_come_whole_and_in_order() -> None:
    with read_ahead((number for number in range(1000)), depth=3) as items:
        assert list(items) == list(range(1000))


def test_an_exception_comes_after_the_items_before_it() -> None:
    def failing() -> Generator[int]:
        yield 1
        raise OSError("broken")

    seen: list[int] = []
    with pytest.raises(OSError, match="broken"), read_ahead(failing(), depth=3) as items:
        seen.extend(items)
    assert seen == [1]


def test_no_more_than_depth_items_wait() -> None:
    made: list[int] = []
    depth = 2

    def counted() -> Generator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with read_ahead(counted(), depth=depth) as items:
        for taken in range(10):
            next(items)
            # one more than may wait is held by the producer itself
            assert len(made) <= taken + 1 + depth + 1


def test_leaving_early_ends_the_thread_and_closes_the_generator() -> None:
    closed = threading.Event()

    def endless() -> Generator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    with read_ahead(endless(), depth=2) as items:
        next(items)
    assert closed.is_set()
    assert threading.active_count() == before
