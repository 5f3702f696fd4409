"""One transfer: waits for the data connection, sends within the bandwidth, and reports how it ended.

An object on the event loop that is registered only while there is something to wait for: a small file whose
client has connected already never is.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mirror.ftp.content import UnreadableError
from mirror.ftp.data_connection import WouldBlock
from mirror.ftp.limits import CHUNK_BYTES
from mirror.tree.opening import NotTheCheckedFileError
from mirror.worker.untaken import UntakenError

if TYPE_CHECKING:
    import socket

    from mirror.ftp.content import Content
    from mirror.ftp.data_connection import DataConnection, Direction
    from mirror.ftp.data_port import DataPort
    from mirror.ftp.event_loop import EventLoop
    from mirror.shared.bandwidth import Bandwidth

_log = logging.getLogger("mirror.ftp")
# under a cap, transfers take turns: little at a time, and not too often
_CAPPED_CHUNK_BYTES = 64 * 1024
_LEAST_WAIT_S = 0.02


class TransferEnd(NamedTuple):
    """How a transfer ended: the reply, and how much of the content was sent."""

    code: int
    text: str
    sent_bytes: int


class Initiator(Protocol):
    """Who began a transfer, and hears of its progress and end."""

    def data_connection(self, connection: socket.socket) -> DataConnection:
        """Return a connection as it is to be used: plain, or with TLS."""

    def sent(self, count: int) -> None:
        """Count bytes."""

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        """Take note that the file is no longer the one that was checked; the end follows."""

    def transfer_ended(self, end: TransferEnd) -> None:
        """Take note of its end; everything is closed by then."""


class DataTransfer:
    """A running transfer; begins with `start`.

    Arguments:
        port: where the data connection comes from; owned.
        content: owned.
        bandwidth: the budget of the whole mirror, None without.
    """

    def __init__(
        self, loop: EventLoop, port: DataPort, content: Content, initiator: Initiator, bandwidth: Bandwidth | None
    ) -> None:
        self._loop = loop
        self._port: DataPort | None = port
        self._content = content
        self._initiator = initiator
        self._bandwidth = bandwidth
        self._connection: DataConnection | None = None
        self._handshake_done = False
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
        if self._connection is None and now_s - self._progress_s > connect_s:
            self.give_up(425, "No data connection came about in time.")
        elif now_s - self._progress_s > stall_s:
            self.give_up(426, "Transfer cut: no progress for too long.")

    def give_up(self, code: int, text: str) -> None:
        """End it before it is complete."""
        if not self._done:
            self._close(abort=True)
            self._initiator.transfer_ended(TransferEnd(code, text, self._sent_bytes))

    def _step(self) -> None:
        """Go on until something has to be waited for, or the turn is over."""
        try:
            if self._connection is None and not self._connect():
                return
            self._send()
        except WouldBlock as wait:
            self._wait(self._connection, wait.direction)
        except UntakenError as wait:
            if wait.progressed:
                self._progress_s = time.monotonic()
            self._pause(wait.pause_s)
        except NotTheCheckedFileError as error:
            self._initiator.spoiled(error)
            self.give_up(426, f"Transfer cut: the file {error.reason}.")
        except UnreadableError as error:
            self.give_up(451, f"Transfer cut: the disk failed: {error}.")
        except OSError as error:
            if self._connection is None:
                self.give_up(425, f"Cannot open the data connection: {error.strerror}.")
            else:
                self.give_up(426, f"Transfer cut: {error.strerror or 'the data connection is gone'}.")

    def _connect(self) -> bool:
        port = self._port
        if port is None:
            return False
        connection = port.establish()
        if connection is None:
            self._wait(port, port.awaits)
            return False
        self._unregister()
        port.close()
        self._port = None
        self._progress_s = time.monotonic()
        self._connection = self._initiator.data_connection(connection)
        return True

    def _send(self) -> None:
        connection, content = self._connection, self._content
        if connection is None:
            return
        if not self._handshake_done:
            connection.handshake()
            self._handshake_done = True
        if content.remaining != 0:
            wanted = CHUNK_BYTES if content.remaining is None else min(content.remaining, CHUNK_BYTES)
            sent = self._send_some(connection, wanted)
            if sent < 0:
                return
            self._sent_bytes += sent
            self._initiator.sent(sent)
            self._progress_s = time.monotonic()
            if content.remaining != 0:
                self._wait(connection, "write")
                return
        connection.finish()
        self._close(abort=False)
        self._initiator.transfer_ended(TransferEnd(226, "Transfer complete.", self._sent_bytes))

    def _send_some(self, connection: DataConnection, wanted: int) -> int:
        """Send what the budget allows; -1 when that is nothing for a while, and the rest goes on later."""
        budget = self._bandwidth
        if budget is None:
            return connection.send(self._content, wanted)
        granted, wait_s = budget.take(min(wanted, _CAPPED_CHUNK_BYTES))
        if not granted:
            # waiting for our own budget is no fault of the client's
            self._progress_s = time.monotonic()
            self._pause(max(wait_s, _LEAST_WAIT_S))
            return -1
        sent = 0
        try:
            sent = connection.send(self._content, granted)
        finally:
            # TLS may have had to repeat a larger block than was granted: then this takes the rest
            if sent != granted:
                budget.give_back(granted - sent)
        return sent

    def _pause(self, seconds: float) -> None:
        """Go on after a while."""
        self._wait(self._connection, None)
        self._loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        if not self._done:
            self.handle_write_event()

    # --- what the event loop calls

    def _wait(self, on: DataPort | DataConnection | None, direction: Direction | None) -> None:
        """Ask the loop for an event; None asks for none but the connection's end."""
        if on is None:
            return
        events = {"read": self._loop.READ, "write": self._loop.WRITE, None: 0}[direction]
        self._awaits = direction
        if self._fileno < 0:
            self._fileno = on.fileno()
            self._loop.register(self._fileno, self, events)
        elif events != self._events:
            self._loop.modify(self._fileno, events)
        self._events = events

    def _unregister(self) -> None:
        if self._fileno >= 0:
            self._loop.unregister(self._fileno)
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
        if self._connection is None:
            self.give_up(425, "Cannot open the data connection.")
        else:
            self.give_up(426, "Transfer cut: the client closed the data connection.")

    def handle_error(self) -> None:
        """Report an exception that nobody expected; called from its handler."""
        _log.exception("a transfer failed unexpectedly")
        self.give_up(451, "Transfer cut: internal error.")

    def close(self) -> None:
        """Close everything and report nothing: the session is gone."""
        self._close(abort=True)

    def _close(self, *, abort: bool) -> None:
        if self._done:
            return
        self._done = True
        self._unregister()
        self._content.close()
        if self._port is not None:
            self._port.close()
        if abort and self._connection is not None:
            self._connection.abort()
