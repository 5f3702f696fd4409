"""Work in a thread, whose results come back on the event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from mirror.ftp.pyftpdlib_adapter import new_event_loop
from mirror.ftp.thread_work import BackgroundThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirror.ftp.event_loop import EventLoop


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    loop = new_event_loop()
    yield loop
    loop.close()


def wait_for(loop: EventLoop, results: list[int | None], count: int) -> None:
    """Let the loop run until there are so many results."""
    while len(results) < count:
        loop.loop(30, False)


def test_results_come_in_order_and_on_the_loop(loop: EventLoop) -> None:
    thread, results, threads = BackgroundThread(loop), list[int | None](), set[int]()

    def square(number: int) -> int:
        threads.add(threading.get_ident())
        return number * number

    def take(result: int | None) -> None:
        assert threading.current_thread() is threading.main_thread()
        results.append(result)

    for number in range(5):
        thread.run(lambda number=number: square(number), take)  # type: ignore[misc] # the default binds the number
    wait_for(loop, results, 5)
    assert results == [0, 1, 4, 9, 16]
    assert len(threads) == 1
    assert threading.main_thread().ident not in threads
    thread.close()


def test_work_that_fails_has_no_result_and_the_next_is_done(loop: EventLoop, caplog: pytest.LogCaptureFixture) -> None:
    thread, results = BackgroundThread(loop), list[int | None]()

    def fail() -> int:
        raise ValueError("a bug")

    thread.run(fail, results.append)
    thread.run(lambda: 7, results.append)
    wait_for(loop, results, 2)
    assert results == [None, 7]
    assert "work in the background failed unexpectedly" in caplog.text
    thread.close()


def test_what_is_done_after_the_close_harms_nobody(loop: EventLoop) -> None:
    thread, gate, done = BackgroundThread(loop), threading.Event(), threading.Event()

    def work() -> int:
        gate.wait(30)
        return 7

    def last() -> int:
        done.set()
        return 8

    results = list[int | None]()
    thread.run(work, results.append)
    thread.run(last, results.append)
    thread.close()
    gate.set()
    assert done.wait(30)
    loop.loop(0, False)
    assert results == []
