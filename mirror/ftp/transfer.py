"""One transfer: waits for the data connection, sends within the bandwidth, and says how it ended.

An object on pyftpdlib's event loop that is registered only while there is something to wait for: a small file whose
client has connected already never is.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mirror.ftp.content import TruncatedError, UnreadableError
from mirror.ftp.data_connection import NotNow
from mirror.ftp.limits import CHUNK_BYTES

if TYPE_CHECKING:
    import socket

    from mirror.ftp.content import Content
    from mirror.ftp.data_connection import Direction, Wire
    from mirror.ftp.data_port import Door
    from mirror.shared.bandwidth import Bandwidth

_log = logging.getLogger("mirror.ftp")
# under a cap, transfers take turns: little at a time, and not too often
_CAPPED_CHUNK_BYTES = 64 * 1024
_LEAST_WAIT_S = 0.02


class Outcome(NamedTuple):
    """How a transfer ended: the reply, and what was sent."""

    code: int
    text: str
    sent_bytes: int


class Receiver(Protocol):
    """Who started the transfer."""

    def wire(self, connection: socket.socket) -> Wire:
        """Return the connection as it is to be used: plain, or with TLS."""

    def sent(self, count: int) -> None:
        """Count bytes."""

    def delivered(self, outcome: Outcome) -> None:
        """Take the end of it; everything is closed by then."""


class Delivery:
    """A transfer under way; begins with `start`.

    Arguments:
        ioloop: pyftpdlib's.
        door: where the data connection comes from; owned.
        content: owned.
        bandwidth: the budget of the whole mirror, None without.
    """

    def __init__(
        self, ioloop: Any, door: Door, content: Content, receiver: Receiver, bandwidth: Bandwidth | None
    ) -> None:
        self._ioloop = ioloop
        self._door: Door | None = door
        self._content = content
        self._receiver = receiver
        self._bandwidth = bandwidth
        self._wire: Wire | None = None
        self._greeted = False
        self._done = False
        self._fileno = -1
        self._awaits: Direction | None = None
        self._events = 0
        self._sent_bytes = 0
        self._progress_s = time.monotonic()

    @property
    def sent_bytes(self) -> int:
        """How many bytes of the content were sent so far."""
        return self._sent_bytes

    def start(self) -> None:
        """Begin, and finish at once what can be."""
        self._step()

    def check_times(self, now_s: float, stall_s: float, connect_s: float) -> None:
        """Give up what makes no progress; called every now and then with the monotonic time."""
        if self._wire is None and now_s - self._progress_s > connect_s:
            self.give_up(425, "No data connection came about in time.")
        elif now_s - self._progress_s > stall_s:
            self.give_up(426, "Transfer cut: no progress for too long.")

    def give_up(self, code: int, text: str) -> None:
        """End it before it is complete."""
        if not self._done:
            self._close(cut=True)
            self._receiver.delivered(Outcome(code, text, self._sent_bytes))

    def _step(self) -> None:
        """Go on until something has to be waited for, or the turn is over."""
        try:
            if self._wire is None and not self._connect():
                return
            self._send()
        except NotNow as wait:
            self._wait(self._wire, wait.direction)
        except TruncatedError:
            self.give_up(426, "Transfer cut: the file has become shorter.")
        except UnreadableError as error:
            self.give_up(451, f"Transfer cut: the disk failed: {error}.")
        except OSError as error:
            if self._wire is None:
                self.give_up(425, f"Cannot open the data connection: {error.strerror}.")
            else:
                self.give_up(426, f"Transfer cut: {error.strerror or 'the data connection is gone'}.")

    def _connect(self) -> bool:
        door = self._door
        if door is None:
            return False
        connection = door.knock()
        if connection is None:
            self._wait(door, door.awaits)
            return False
        self._forget()
        door.close()
        self._door = None
        self._progress_s = time.monotonic()
        self._wire = self._receiver.wire(connection)
        return True

    def _send(self) -> None:
        wire, content = self._wire, self._content
        if wire is None:
            return
        if not self._greeted:
            wire.greet()
            self._greeted = True
        if content.remaining != 0:
            wanted = CHUNK_BYTES if content.remaining is None else min(content.remaining, CHUNK_BYTES)
            sent = wire.send(content, wanted) if self._bandwidth is None else self._send_within(wire, wanted)
            if sent < 0:
                return
            self._sent_bytes += sent
            self._receiver.sent(sent)
            self._progress_s = time.monotonic()
            if content.remaining != 0:
                self._wait(wire, "write")
                return
        wire.finish()
        self._close(cut=False)
        self._receiver.delivered(Outcome(226, "Transfer complete.", self._sent_bytes))

    def _send_within(self, wire: Wire, wanted: int) -> int:
        """Send what the budget allows; -1 when that is nothing for a while, and the rest goes on later."""
        budget = self._bandwidth
        if budget is None:
            return wire.send(self._content, wanted)
        granted, wait_s = budget.take(min(wanted, _CAPPED_CHUNK_BYTES))
        if not granted:
            # waiting for our own budget is no fault of the client's
            self._progress_s = time.monotonic()
            self._wait(wire, None)
            self._ioloop.call_later(max(wait_s, _LEAST_WAIT_S), self._resume)
            return -1
        sent = 0
        try:
            sent = wire.send(self._content, granted)
        finally:
            # TLS may have had to repeat a larger block than was granted: then this takes the rest
            if sent != granted:
                budget.give_back(granted - sent)
        return sent

    def _resume(self) -> None:
        if not self._done:
            self.handle_write_event()

    # --- what the event loop calls

    def _wait(self, on: Door | Wire | None, direction: Direction | None) -> None:
        """Ask the loop for an event; None asks for none but the connection's end."""
        if on is None:
            return
        events = {"read": self._ioloop.READ, "write": self._ioloop.WRITE, None: 0}[direction]
        self._awaits = direction
        if self._fileno < 0:
            self._fileno = on.fileno()
            self._ioloop.register(self._fileno, self, events)
        elif events != self._events:
            self._ioloop.modify(self._fileno, events)
        self._events = events

    def _forget(self) -> None:
        if self._fileno >= 0:
            self._ioloop.unregister(self._fileno)
            self._fileno = -1

    def readable(self) -> bool:
        """Tell whether a read event is wanted."""
        return self._awaits == "read"

    def writable(self) -> bool:
        """Tell whether a write event is wanted."""
        return self._awaits == "write"

    def handle_read_event(self) -> None:
        """Go on."""
        self._step()

    handle_write_event = handle_read_event

    def handle_close(self) -> None:
        """Take note that the connection ended, or that none came about."""
        if self._wire is None:
            self.give_up(425, "Cannot open the data connection.")
        else:
            self.give_up(426, "Transfer cut: the client closed the data connection.")

    def handle_error(self) -> None:
        """Report an exception that nobody expected; called from its handler."""
        _log.exception("a transfer failed unexpectedly")
        self.give_up(451, "Transfer cut: internal error.")

    def close(self) -> None:
        """Drop everything without a word: the session is gone."""
        self._close(cut=True)

    def _close(self, *, cut: bool) -> None:
        if self._done:
            return
        self._done = True
        self._forget()
        self._content.close()
        if self._door is not None:
            self._door.close()
        if cut and self._wire is not None:
            self._wire.cut()
