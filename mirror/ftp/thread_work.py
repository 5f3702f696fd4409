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

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
_log = logging.getLogger("mirror.ftp")


class BackgroundThread:
    """A thread that starts with the first piece of work; its results come back on the event loop.

    Arguments:
        ioloop: pyftpdlib's.
    """

    def __init__(self, ioloop: Any) -> None:
        self._ioloop = ioloop
        self._work: SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]]] = SimpleQueue()
        self._done: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._fileno, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        ioloop.register(self._fileno, self, ioloop.READ)

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

    # --- what the event loop calls

    def readable(self) -> bool:
        """Tell whether a read event is wanted."""
        return True

    def writable(self) -> bool:
        """Tell whether a write event is wanted."""
        return False

    def handle_read_event(self) -> None:
        """Hand over what is done."""
        os.read(self._fileno, 4096)
        while self._done:
            self._done.popleft()()

    def handle_error(self) -> None:
        """Report an exception that nobody expected; called from its handler."""
        _log.exception("the result of work in the background could not be taken")

    def handle_close(self) -> None:
        """Nothing to do: both ends are ours."""

    def close(self) -> None:
        """Stop listening for results; the thread ends with the process."""
        self._ioloop.unregister(self._fileno)
        os.close(self._fileno)
        # the thread may still write: its end stays open
