"""Work that takes too long for the event loop, done one piece after the other by a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from mirror.ftp.event_loop import ReadWatcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.ftp.event_loop import EventLoop

Result = TypeVar("Result")
_log = logging.getLogger("mirror.ftp")


class BackgroundThread:
    """A thread that starts with the first piece of work; its results come back on the event loop."""

    def __init__(self, loop: EventLoop) -> None:
        self._work: SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]]] = SimpleQueue()
        self._done: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._read_end, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        failure = "the result of work in the background could not be taken"
        self._watcher = ReadWatcher(loop, self._read_end, self._hand_over, failure)

    def run(self, work: Callable[[], Result], then: Callable[[Result | None], None]) -> None:
        """Have `work` done in the thread, and `then` called with its result on the event loop.

        An exception of `work` is logged, and the result is None.
        """
        if self._thread is None:
            # a daemon: what it does is not worth waiting for when the worker ends
            self._thread = threading.Thread(target=self._loop, daemon=True)
            self._thread.start()
        self._work.put((work, then))

    def _loop(self) -> None:
        while True:
            work, then = self._work.get()
            result = None
            try:
                result = work()
            except Exception:  # noqa: BLE001 - a thread without a caller; it goes on with the next piece
                _log.exception("work in the background failed unexpectedly")
            self._done.append(partial(then, result))
            # a full pipe wakes the loop as well
            with suppress(OSError):
                os.write(self._write_end, b"!")

    def _hand_over(self) -> None:
        os.read(self._read_end, 4096)
        while self._done:
            self._done.popleft()()

    def close(self) -> None:
        """Take no more results; the thread ends with the process."""
        self._watcher.close()
        os.close(self._read_end)
        # the thread may still write: its end stays open
