"""The event loop, as far as this package uses it, and a descriptor on it that waits to be read.

The loop is pyftpdlib's (`pyftpdlib_adapter.new_event_loop`); tests have their own.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("mirror.ftp")


class EventLoop(Protocol):
    """Calls objects when their descriptors are ready, and functions when their time has come.

    A registered object has `readable` and `writable`, `handle_read_event` and `handle_write_event` for what it waits
    for, `handle_close` for the connection's end, and `handle_error`, called from the handler of an exception.
    """

    READ: int
    WRITE: int

    def register(self, fd: int, instance: Any, events: int) -> object:
        """Begin to wait for events (READ, WRITE, both, or 0 for the connection's end only)."""

    def modify(self, fd: int, events: int) -> object:
        """Wait for other events."""

    def unregister(self, fd: int) -> object:
        """Wait no longer."""

    def call_later(self, seconds: float, target: Callable[[], object]) -> object:
        """Call a function once."""

    def call_every(self, seconds: float, target: Callable[[], object]) -> object:
        """Call a function again and again."""

    def loop(self, timeout: float | None, blocking: bool) -> float | None:
        """Wait once, at most `timeout` seconds, and call what is due; returns the seconds until the next call."""

    def close(self) -> None:
        """Forget everything."""


class ReadWatcher:
    """Has a function called whenever a descriptor is readable or at its end.

    Arguments:
        fileno: stays the caller's.
        failure: logged with an exception that nobody expected of the function; the loop goes on.
    """

    def __init__(self, loop: EventLoop, fileno: int, call: Callable[[], None], failure: str) -> None:
        self._loop = loop
        self._fileno = fileno
        self._failure = failure
        self.handle_read_event = call
        # the end is found by reading
        self.handle_close = call
        loop.register(fileno, self, loop.READ)

    def readable(self) -> bool:
        """Tell whether a read event is wanted."""
        return True

    def writable(self) -> bool:
        """Tell whether a write event is wanted."""
        return False

    def handle_error(self) -> None:
        """Log the exception; called from its handler."""
        _log.exception(self._failure)

    def pause(self, seconds: float) -> None:
        """Call nothing for a while."""
        self.rest()
        self._loop.call_later(seconds, self.go_on)

    def rest(self) -> None:
        """Call nothing until `go_on`."""
        self._loop.modify(self._fileno, 0)

    def go_on(self) -> None:
        """Call it again; does nothing after the end."""
        if self._fileno >= 0:
            self._loop.modify(self._fileno, self._loop.READ)

    def close(self) -> None:
        """Watch no longer; may be called twice."""
        if self._fileno >= 0:
            self._loop.unregister(self._fileno)
            self._fileno = -1
