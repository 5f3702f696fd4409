"""One client's connection: its requests are answered one after the other, in their order (RFC 9112, 9.3).

Owns order, deadlines and the end of a connection. `request_parser` makes requests of its bytes; the `Server` decides
what they get.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from mirror.http.exchange import Exchange, PreparedResponse
from mirror.http.pump import SocketPump, TransportPump
from mirror.http.registry_urls import is_registry_url, registry_refusal
from mirror.http.request_parser import RequestParser, accepted_by, has_one_host
from mirror.http.response import METHODS, text_response
from mirror.http.response_cache import KnownRequest
from mirror.http.timeouts import HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, LAST_REQUEST_S, LINGER_TIMEOUT_S, STALL_TIMEOUT_S

if TYPE_CHECKING:
    import asyncio
    import socket

    from mirror.http.interface import Server
    from mirror.http.pump import Pump
    from mirror.http.request_fields import RequestFields
    from mirror.http.response import OutgoingResponse
    from mirror.tree.opening import NotTheCheckedFileError

# responses that a client may have coming before it has read any; one that asks for more gets its connection closed
MAX_PIPELINED = 64


class Connection(RequestParser):
    """The protocol of one transport."""

    __slots__ = (
        "_content_bytes", "_dup", "_exchange", "_known", "_only_registry", "_paused", "_pump", "_queue", "_server",
        "_task", "_unread", "_writable",
        "deadline_s", "response", "secure", "transport",
    )  # fmt: skip

    def __init__(self, server: Server, *, secure: bool, only_registry: bool = False) -> None:
        super().__init__()
        self._server = server
        self._only_registry = only_registry
        self.secure = secure
        self.transport: Any = None
        self.deadline_s = server.now_s + HEAD_TIMEOUT_S
        self._unread = self._paused = False
        self._exchange: Exchange | None = None
        self.response: OutgoingResponse | None = None
        self._content_bytes = 0
        self._pump: Pump | None = None
        self._task: asyncio.Task[PreparedResponse] | None = None
        self._queue: deque[Exchange] | None = None
        self._dup: socket.socket | None = None
        # the last request of the present block, when it was answered from memory
        self._known: KnownRequest | None = None
        self._writable = True

    @property
    def idle(self) -> bool:
        """Whether nothing is being asked or answered."""
        return self._exchange is None and not self._in_message and not self._queue

    # what asyncio calls

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        # one text for all connections of a client
        self.remote = sys.intern(peer[0]) if peer else ""
        if not self._server.opened(self):
            transport.abort()
            return
        # the transport reports any unsent byte, so that a socket is written to in one way at a time
        transport.set_write_buffer_limits(high=0 if not self.secure else None)

    def eof_received(self) -> bool:
        """Tell whether the transport is to stay open: a client may end its side and still wait for answers."""
        self._linger = True
        return (self._exchange is not None or bool(self._queue)) and not self.secure

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything."""
        del exc
        if self._task is not None:
            self._task.cancel()
        if self._pump is not None:
            self._pump.stop()
            self._release_pump()
        if self._exchange is not None and self.response is not None:
            self._server.ended(self._exchange, self.response, self._content_bytes, complete=False)
        self._exchange, self._parser, self._queue = None, None, None
        self._server.closed(self)

    def pause_writing(self) -> None:
        """Take note that the transport holds unsent bytes."""
        self._writable = False

    def resume_writing(self) -> None:
        """Take note that the transport has sent them, and go on."""
        self._writable = True
        self.deadline_s = self._server.now_s + STALL_TIMEOUT_S
        if isinstance(self._pump, TransportPump):
            self._pump.room()
        elif self._pump is not None and self._exchange is not None:
            self._pump.start()
        elif self._exchange is None:
            self._next()

    # what reading leads to

    def _head_started(self) -> None:
        self._known = None
        if self._exchange is None:
            self.deadline_s = self._server.now_s + HEAD_TIMEOUT_S

    def _free(self) -> bool:
        """Tell whether a response may go out before anything else."""
        server = self._server
        if self._only_registry:
            # what is at hand may be of any URL
            return False
        return server.plain and self._exchange is None and not self._queue and self._writable and not server.stopping

    def _respond_from_cache(self, data: bytes) -> bool:
        server = self._server
        known = server.cache.known(data, server.now_s)
        if known is None or not self._free():
            return False
        self._send_cached(known)
        return True

    def _respond_at_once(self, url: bytes, raw: RequestFields) -> bool:
        server = self._server
        cached = server.cache.get(url, server.now_s)
        if cached is not None and cached.accept is not None and cached.accept != accepted_by(raw):
            return False
        if cached is None or not self._free() or self._parser.get_http_version() != "1.1" or not has_one_host(raw):
            return False
        self._known = KnownRequest(cached, url, raw)
        self._send_cached(self._known)
        return True

    def _remember_block(self, data: bytes) -> None:
        if self._known is not None:
            self._server.cache.remember(data, self._known)
            self._known = None

    def _send_cached(self, known: KnownRequest) -> None:
        server, cached = self._server, known.response
        self.transport.write(server.heads.opening + cached.rest)
        self.deadline_s = server.now_s + IDLE_TIMEOUT_S
        server.served_from_cache(known.target, self.remote, cached.size, cached.bundle, known.fields)

    def _take_request(self, exchange: Exchange) -> None:
        exchange.only_registry = self._only_registry
        if self._exchange is None and self._writable and not self._queue:
            self._begin(exchange)
        else:
            self._wait_for_turn(exchange)

    def _wait_for_turn(self, exchange: Exchange) -> None:
        if self._queue is None:
            self._queue = deque()
        if self._exchange is None:
            # it waits for the client to read, not for more of it
            self.deadline_s = self._server.now_s + STALL_TIMEOUT_S
        if len(self._queue) < MAX_PIPELINED:
            self._queue.append(exchange)
        if len(self._queue) >= MAX_PIPELINED:
            self._queue[-1].keeps = False
            self._refuse_rest()
        elif not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _refuse_rest(self) -> None:
        """Read nothing more: the connection ends with the answers that are due."""
        self._linger = self._unread = True
        if self._exchange is None and not self._queue:
            self._close_slowly()

    def _refuse(self, status: int) -> None:
        """Answer what is no request, after the answers that are due before it; the connection ends."""
        if self._linger:
            return
        if is_registry_url(self._url):
            refusal = registry_refusal(status, closes=True)
        else:
            text = _REFUSALS.get(status, "This is no request that can be answered.\n")
            refusal = text_response(status, text, [("Allow", METHODS)] if status == 405 else [], closes=True)
        exchange = Exchange("-", self._url, {}, keeps=False, http_1_0=False, remote=self.remote, refusal=refusal)
        self._linger = self._unread = True
        self._in_message = False
        if self._exchange is None and self._writable and not self._queue:
            self._begin(exchange)
        else:
            self._queue = self._queue or deque()
            self._queue.append(exchange)

    def _begin(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._content_bytes = 0
        self.deadline_s = self._server.now_s + STALL_TIMEOUT_S
        if exchange.refusal is not None:
            self._send(PreparedResponse(exchange.refusal))
            return
        decided = self._server.decide(exchange)
        if isinstance(decided, PreparedResponse):
            self._send(decided)
            return
        self._task = self._server.loop.create_task(decided)
        self._task.add_done_callback(self._decided)

    def _decided(self, task: asyncio.Task[PreparedResponse]) -> None:
        self._task = None
        if task.cancelled():
            return
        if task.exception() is not None:
            # a mistake of ours, which the loop tells of; the client must not wait for what will not come
            self.transport.abort()
        if self.transport.is_closing():
            _drop(task.result())
            return
        self.deadline_s = self._server.now_s + STALL_TIMEOUT_S
        self._send(task.result())

    def _send(self, prepared: PreparedResponse) -> None:
        exchange, response = self._exchange, prepared.response
        assert exchange is not None  # noqa: S101 - a response belongs to a request
        server = self._server
        keeps = exchange.keeps and not response.closes and not server.stopping
        if prepared.file is not None:
            server.keep_response(exchange, prepared)
        exchange.keeps = keeps
        self.response = response
        head = server.heads.head(response, keeps=keeps, http_1_0=exchange.http_1_0)
        pieces = response.pieces if exchange.method != "HEAD" else ()
        at_once = prepared.file is None and not any(isinstance(piece, memoryview) for piece in pieces)
        if at_once and (server.bandwidth is None or not pieces or not server.may_send()):
            body = b"".join(piece for piece in pieces if isinstance(piece, bytes))
            self.transport.write(head + body)
            self._content_bytes = len(body)
            self.finished()
            return
        if not server.may_send() or not (self.secure or self._has_duplicate()):
            _drop(prepared)
            busy = [("Retry-After", "5")]
            in_registry = is_registry_url(exchange.raw_target)
            refusal = registry_refusal(503, busy) if in_registry else text_response(503, _TOO_MANY, busy)
            self._send(PreparedResponse(refusal))
            return
        loop, bandwidth, file = server.loop, server.bandwidth, prepared.file
        server.sending += 1
        if self.secure:
            self._pump = TransportPump(
                loop, self.transport, head, pieces, file, self, bandwidth, full=lambda: not self._writable
            )
        else:
            assert self._dup is not None  # noqa: S101 - made above
            self._pump = SocketPump(loop, self._dup, head, pieces, file, self, bandwidth)
        if self._writable or self.secure:
            self._pump.start()

    def _has_duplicate(self) -> bool:
        """Make a duplicate of the socket for a pump; False when the host has no descriptor left for it."""
        try:
            self._dup = self.transport.get_extra_info("socket").dup()
        except OSError:
            return False
        self._dup.setblocking(False)
        return True

    def _release_pump(self) -> None:
        """Give back what a transfer needed."""
        self._pump = None
        self._server.sending -= 1
        if self._dup is not None:
            self._dup.close()
            self._dup = None

    # what the pump calls

    def progressed(self, content_bytes: int) -> None:
        """Put the deadline off; there is none for the whole of a transfer."""
        self._content_bytes += content_bytes
        self.deadline_s = self._server.now_s + STALL_TIMEOUT_S

    def finished(self) -> None:
        """Go on with the next request."""
        exchange, response = self._exchange, self.response
        self._exchange, self.response = None, None
        if self._pump is not None:
            self._release_pump()
        if exchange is None or response is None:
            return
        self._server.ended(exchange, response, self._content_bytes, complete=True)
        if not exchange.keeps:
            self._queue = None
            self._close_slowly()
            return
        # a client that was told before a stop that it may ask again
        idle_s = LAST_REQUEST_S if self._server.stopping else IDLE_TIMEOUT_S
        self.deadline_s = self._server.now_s + (HEAD_TIMEOUT_S if self._in_message else idle_s)
        if self._queue:
            # not from within: many short answers must not nest
            self._server.loop.call_soon(self._next)
        else:
            self._next()

    def broke(self, reason: str) -> None:
        """Cut the connection: the client must see that the response is not whole."""
        del reason
        if self._pump is not None:
            self._release_pump()
        self.transport.abort()

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        """Cut the connection, and have everybody told that the file was written to."""
        self.broke(error.reason)
        self._server.file_changed(error)

    def _next(self) -> None:
        if self._exchange is not None or not self._writable or self.transport.is_closing():
            return
        if self._queue:
            self._begin(self._queue.popleft())
            return
        if self._linger:
            self._close_slowly()
        elif self._paused:
            self._paused = False
            self.transport.resume_reading()

    # the end

    def expire(self) -> None:
        """End a connection whose deadline has passed."""
        if self._exchange is not None or self._linger or self.transport.is_closing():
            self.transport.abort()
        elif self._in_message:
            # what it asks for decides how it is refused
            self._parse_held()
            self._refuse(408)
        else:
            self.transport.close()

    def close_when_done(self, idle_s: int = 0) -> None:
        """End the connection after the answers that are due; with so many seconds, its client may ask once more."""
        if self.idle and idle_s:
            self.deadline_s = min(self.deadline_s, self._server.now_s + idle_s)
        elif self.idle:
            self.transport.close()
        elif self._exchange is not None and not (idle_s and self.response is not None):
            # an answer that has begun says whether the connection is kept, and with patience that holds
            self._exchange.keeps = False

    def _close_slowly(self) -> None:
        """Close; where more may still be coming, end only our side, so that a reset does not overtake the response."""
        self._linger = True
        if self.secure or not self._unread:
            self.transport.close()
            return
        self.deadline_s = self._server.now_s + LINGER_TIMEOUT_S
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self.transport.write_eof()


_TOO_MANY = "Too many transfers at once.\n"
_REFUSALS = {
    405: "Only GET, HEAD and OPTIONS are known here.\n",
    408: "The request took too long.\n",
    413: "A request with content has no use here.\n",
    414: "The address is too long.\n",
    417: "Nothing but 100-continue can be expected.\n",
    431: "The request has too many header fields, or too long ones.\n",
    501: "Only GET, HEAD and OPTIONS are known here.\n",
    505: "Only HTTP/1.1 and HTTP/1.0 are spoken here.\n",
}


def _drop(prepared: PreparedResponse) -> None:
    if prepared.file is not None:
        prepared.file.close()
