"""Move a response of any size into a connection without holding it in memory, and without waiting for a slow client.

On a plain connection the kernel moves file bytes (sendfile(2)) through a duplicate of the socket, under TCP_CORK so
that the head shares a packet with them; the last block waits until the client has taken these. Under TLS blocks are
read and handed to the transport. Owns the open file until the end.
"""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING, Protocol

from mirror.http.ranges import Span
from mirror.tree.open_file import SLICE_BYTES
from mirror.tree.opening import NotTheCheckedFileError
from mirror.worker.untaken import Taking, UntakenError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from mirror.http.response import Piece
    from mirror.shared.bandwidth import Bandwidth
    from mirror.tree.open_file import OpenFile

# how much one connection may send before others get their turn
TURN_BYTES = 4 * 1024 * 1024
# what is read and encrypted at once, and what may wait in the transport
TLS_BLOCK_BYTES = 256 * 1024
# with a bandwidth cap, how much is asked of the budget at once
METERED_BYTES = 64 * 1024


class Watcher(Protocol):
    """Whoever a response is sent for."""

    def progressed(self, content_bytes: int) -> None:
        """Take note that bytes have left, of which so many are content."""

    def finished(self) -> None:
        """Take note that the kernel or the transport has everything."""

    def broke(self, reason: str) -> None:
        """Take note that the rest cannot be sent: the client is gone, or the disk fails."""

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        """Take note that the rest must not be sent: the file is no longer the one that was checked."""


class _Queue:
    """Pieces in the order in which they go out; the head first, which is no content."""

    __slots__ = ("_head_left", "_spans", "pieces")

    def __init__(self, head: bytes, pieces: Sequence[Piece]) -> None:
        # an empty one, of an empty file, would never be sent
        whole = (piece for piece in pieces if (piece.size if isinstance(piece, Span) else piece))
        self.pieces: deque[Piece] = deque([head, *whole])
        self._head_left = len(head)
        self._spans = sum(isinstance(piece, Span) for piece in self.pieces)

    @property
    def to_end(self) -> bool:
        """Whether nothing of the file follows the span in front."""
        return self._spans == 1

    def sent(self, count: int) -> int:
        """Drop bytes from the front; return how many of them were content."""
        first = self.pieces[0]
        if isinstance(first, Span):
            self.pieces[0] = Span(first.start + count, first.stop)
            left = first.size - count
        else:
            self.pieces[0] = first[count:]
            left = len(first) - count
        if not left:
            self._spans -= isinstance(self.pieces.popleft(), Span)
        of_head = min(self._head_left, count)
        self._head_left -= of_head
        return count - of_head


class SocketPump:
    """Sends over a plain connection.

    Arguments:
        out: a duplicate of the connection's socket, non-blocking; not closed here.
        file: closed at the end; None when all pieces are bytes.
        bandwidth: the shared budget, or None.
    """

    __slots__ = ("_bandwidth", "_file", "_loop", "_out", "_queue", "_taking", "_timer", "_waiting", "_watcher")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        out: socket.socket,
        head: bytes,
        pieces: Sequence[Piece],
        file: OpenFile | None,
        watcher: Watcher,
        bandwidth: Bandwidth | None,
    ) -> None:
        self._loop, self._out, self._watcher, self._bandwidth = loop, out, watcher, bandwidth
        self._queue = _Queue(head, pieces)
        self._file = file
        self._taking = Taking(out)
        self._waiting = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; the watcher may be called at the end before this returns."""
        try:
            if self._file is not None:
                self._taking.prepare(self._file)
            self._out.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        self._push()

    def stop(self) -> None:
        """Release everything; the watcher is not called any more."""
        self._wait(for_room=False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _push(self) -> None:
        """Send until nothing is left, the socket is full, or it is somebody else's turn."""
        turn = TURN_BYTES
        pieces = self._queue.pieces
        try:
            while pieces and turn > 0:
                granted, wait_s = self._granted(pieces[0])
                if not granted:
                    # it is not the client who keeps us waiting
                    self._watcher.progressed(0)
                    self._pause(wait_s)
                    return
                count = self._send(pieces[0], granted)
                turn -= count
                self._watcher.progressed(self._queue.sent(count))
                if count < granted:
                    # the socket is full; one more call would only say so
                    break
        except BlockingIOError:
            self._wait(for_room=True)
            return
        except UntakenError as wait:
            if wait.progressed:
                self._watcher.progressed(0)
            # a packet that is not full would wait for the block that waits for it
            self._out.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
            self._pause(wait.pause_s)
            return
        except NotTheCheckedFileError as error:
            self._spoiled(error)
            return
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        if pieces:
            self._wait(for_room=True)
        else:
            self._end("")

    def _granted(self, piece: Piece) -> tuple[int, float]:
        size = self._block_bytes(piece) if isinstance(piece, Span) else min(len(piece), SLICE_BYTES)
        if self._bandwidth is None:
            return size, 0.0
        return self._bandwidth.take(min(size, METERED_BYTES))

    def _block_bytes(self, span: Span) -> int:
        assert self._file is not None  # noqa: S101 - whoever gives spans gives their file
        return self._file.block_bytes(span.size, to_end=self._queue.to_end)

    def _send(self, piece: Piece, granted: int) -> int:
        count = 0
        try:
            if isinstance(piece, Span):
                assert self._file is not None  # noqa: S101 - whoever gives spans gives their file
                to_end = self._queue.to_end
                self._taking.require_taken(self._file.most_untaken(piece.size, to_end=to_end))
                count = self._file.send(self._out.fileno(), piece.start, granted, piece.size, to_end=to_end)
            else:
                count = self._out.send(memoryview(piece)[:granted])
            return count
        finally:
            if self._bandwidth is not None and count < granted:
                self._bandwidth.give_back(granted - count)

    def _pause(self, seconds: float) -> None:
        self._wait(for_room=False)
        self._timer = self._loop.call_later(seconds, self._push)

    def _wait(self, *, for_room: bool) -> None:
        if for_room != self._waiting:
            self._waiting = for_room
            if for_room:
                self._loop.add_writer(self._out.fileno(), self._push)
            else:
                self._loop.remove_writer(self._out.fileno())

    def _spoiled(self, error: NotTheCheckedFileError) -> None:
        watcher = self._watcher
        self.stop()
        watcher.spoiled(error)

    def _end(self, problem: str) -> None:
        watcher = self._watcher
        self.stop()
        if problem:
            watcher.broke(problem)
            return
        self._out.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        watcher.finished()


class TransportPump:
    """Sends through a transport, as TLS needs it; `room` has to be called when the transport can take more."""

    __slots__ = ("_bandwidth", "_file", "_full", "_loop", "_queue", "_timer", "_transport", "_watcher")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        head: bytes,
        pieces: Sequence[Piece],
        file: OpenFile | None,
        watcher: Watcher,
        bandwidth: Bandwidth | None,
        *,
        full: Callable[[], bool],
    ) -> None:
        self._loop, self._transport, self._watcher, self._bandwidth = loop, transport, watcher, bandwidth
        self._queue = _Queue(head, pieces)
        self._file = file
        self._full = full
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None

    def start(self) -> None:
        """Begin; the watcher may be called at the end before this returns."""
        self._push()

    def room(self) -> None:
        """Go on: the transport has room again."""
        if self._timer is None:
            self._push()

    def stop(self) -> None:
        """Release everything; the watcher is not called any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _push(self) -> None:
        self._timer = None
        turn = TURN_BYTES
        pieces = self._queue.pieces
        while pieces and turn > 0:
            if self._full():
                return
            piece = pieces[0]
            size = piece.size if isinstance(piece, Span) else len(piece)
            granted, wait_s = min(size, TLS_BLOCK_BYTES), 0.0
            if self._bandwidth is not None:
                granted, wait_s = self._bandwidth.take(min(size, METERED_BYTES))
            if not granted:
                self._watcher.progressed(0)
                self._timer = self._loop.call_later(wait_s, self._push)
                return
            data = self._block(piece, granted)
            if not data:
                return
            turn -= len(data)
            self._transport.write(data)
            self._watcher.progressed(self._queue.sent(len(data)))
        if pieces:
            # others first; the transport may have room all the same
            self._timer = self._loop.call_soon(self._push)
        else:
            watcher = self._watcher
            self.stop()
            watcher.finished()

    def _block(self, piece: Piece, granted: int) -> bytes:
        """Return what is sent next, b"" after the end was reported."""
        if not isinstance(piece, Span):
            return bytes(piece[:granted])
        assert self._file is not None  # noqa: S101 - whoever gives spans gives their file
        try:
            return self._file.read(piece.start, granted, piece.size, to_end=self._queue.to_end)
        except NotTheCheckedFileError as error:
            self.stop()
            self._watcher.spoiled(error)
        except OSError as error:
            self.stop()
            self._watcher.broke(error.strerror or str(error))
        return b""


Pump = SocketPump | TransportPump
