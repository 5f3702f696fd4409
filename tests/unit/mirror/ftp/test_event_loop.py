"""A watched descriptor, on an event loop that is this test and on the real one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mirror.ftp.event_loop import ReadWatcher
from mirror.ftp.pyftpdlib_adapter import new_event_loop
from tests.fakes.event_loop import HandEventLoop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_it_is_called_when_there_is_something_to_read(pipe: tuple[int, int]) -> None:
    loop, read = new_event_loop(), list[bytes]()
    watcher = ReadWatcher(loop, pipe[0], lambda: read.append(os.read(pipe[0], 10)), "failed")
    loop.loop(0, False)
    assert read == []
    os.write(pipe[1], b"one")
    loop.loop(30, False)
    assert read == [b"one"]
    watcher.close()
    os.write(pipe[1], b"two")
    loop.loop(0, False)
    assert read == [b"one"]
    loop.close()


def test_the_end_is_found_by_reading() -> None:
    loop, calls = HandEventLoop(), list[int]()
    ReadWatcher(loop, 5, lambda: calls.append(1), "failed")
    loop.hang_up(5)
    assert calls == [1]


def test_a_pause_ends_by_itself_unless_it_was_closed() -> None:
    loop = HandEventLoop()
    watcher = ReadWatcher(loop, 5, lambda: None, "failed")
    watcher.pause(0.2)
    assert loop.events == {5: 0}
    assert loop.wait() == 0.2
    assert loop.events == {5: loop.READ}
    watcher.pause(0.2)
    watcher.close()
    watcher.close()
    loop.wait()
    assert loop.events == {}


def test_an_exception_that_nobody_expected_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("a bug")

    loop = HandEventLoop()
    ReadWatcher(loop, 5, fail, "a message could not be obeyed")
    loop.happen(5, loop.READ)
    loop.happen(5, loop.WRITE)
    assert [record.message for record in caplog.records] == ["a message could not be obeyed"]
    assert loop.events == {5: loop.READ}
