"""One client's connection: bytes to requests, requests to answers, one after the other. RFC 9112.

Owns order, limits and deadlines of one connection; what is answered is decided by the `Server`.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

import httptools

from mirror.http.answer import text_answer
from mirror.http.exchange import Exchange, Outcome
from mirror.http.fields import MAX_FIELDS, MAX_HEAD_BYTES, BadRequestError, is_authority, read_fields
from mirror.http.pump import SocketPump, TransportPump
from mirror.http.target import MAX_TARGET_BYTES

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine

    from mirror.http.answer import Answer
    from mirror.http.heads import Heads
    from mirror.http.hot_files import HotFiles
    from mirror.http.pump import Pump
    from mirror.shared.bandwidth import Bandwidth

# seconds; all of them are counted anew with every sign of life but the second, which bounds the head as a whole
IDLE_S = 75
HEAD_S = 30
STALLED_S = 60
LINGER_S = 5
MAX_BODY_BYTES = 64 * 1024
# what may come of one message after the block in which it began
MAX_MESSAGE_BYTES = MAX_TARGET_BYTES + MAX_HEAD_BYTES + MAX_BODY_BYTES
# answers that a client may have coming before it has read any; one that sends more gets its connection closed
MAX_PIPELINED = 64


class Server(Protocol):
    """What a connection asks of its worker."""

    loop: asyncio.AbstractEventLoop
    heads: Heads
    hot: HotFiles
    bandwidth: Bandwidth | None
    # seconds since the worker began, refreshed once a second
    now_s: int
    stopping: bool
    # whether a request without any condition may be answered from `hot`
    plain: bool

    def opened(self, connection: Connection) -> bool:
        """Take note of a connection; False when it is not wanted."""

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""

    def decide(self, exchange: Exchange) -> Outcome | Coroutine[Any, Any, Outcome]:
        """Return the answer, or a coroutine that does when it takes longer."""

    def keep_hot(self, exchange: Exchange, outcome: Outcome) -> None:
        """Keep an answer for `hot`, if it is fit for it."""

    def served_hot(
        self, raw_target: bytes, remote: str, size: int, bundle: str, fields: list[tuple[bytes, bytes]]
    ) -> None:
        """Take note of an answer that came from `hot`."""

    def ended(self, exchange: Exchange, answer: Answer, content_bytes: int, *, complete: bool) -> None:
        """Take note of an answer's end."""


class Connection(asyncio.Protocol):
    """The protocol of one transport."""

    __slots__ = (
        "_body_bytes", "_content_bytes", "_dup", "_exchange", "_head_bytes", "_in_message", "_linger", "_message_bytes",
        "_parser", "_paused", "_plain", "_pump", "_queue", "_raw", "_server", "_task", "_unread", "_url", "_writable",
        "answer", "deadline_s", "remote", "secure", "transport",
    )  # fmt: skip

    def __init__(self, server: Server, *, secure: bool) -> None:
        self._server = server
        self.secure = secure
        self.remote = ""
        self.transport: Any = None
        self.deadline_s = server.now_s + HEAD_S
        self._parser: Any = None
        self._raw: list[tuple[bytes, bytes]] = []
        self._url = b""
        self._head_bytes = self._message_bytes = self._body_bytes = 0
        self._plain = True
        self._in_message = self._linger = self._unread = self._paused = False
        self._exchange: Exchange | None = None
        self.answer: Answer | None = None
        self._content_bytes = 0
        self._pump: Pump | None = None
        self._task: asyncio.Task[Outcome] | None = None
        self._queue: deque[Exchange] | None = None
        self._dup: socket.socket | None = None
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
        self.remote = peer[0] if peer else ""
        if not self._server.opened(self):
            transport.abort()
            return
        # any unsent byte is told of, so that a socket is written to in one way at a time
        transport.set_write_buffer_limits(high=0 if not self.secure else None)

    def data_received(self, data: bytes) -> None:
        """Parse what came, as long as anything may be asked."""
        if self._linger:
            return
        if self._in_message:
            self._message_bytes += len(data)
            if self._message_bytes > MAX_MESSAGE_BYTES:
                self._fail(431)
                return
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # nothing is spoken here but HTTP/1.1; the request was answered as one, and what follows is not read
            self._refuse_rest()
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, BadRequestError):
                raise
            self._fail(cause.status)
        except httptools.HttpParserInvalidMethodError:
            self._fail(501)
        except httptools.HttpParserError:
            self._fail(400)

    def eof_received(self) -> bool:
        """Tell whether the transport is to stay open: a client may end its side and still wait for answers."""
        self._linger = True
        return (self._exchange is not None or bool(self._queue)) and not self.secure

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        del exc
        if self._task is not None:
            self._task.cancel()
        if self._pump is not None:
            self._pump.stop()
        if self._exchange is not None and self.answer is not None:
            self._server.ended(self._exchange, self.answer, self._content_bytes, complete=False)
        self._exchange, self._pump, self._parser, self._queue = None, None, None, None
        if self._dup is not None:
            self._dup.close()
        self._server.closed(self)

    def pause_writing(self) -> None:
        """Hear that the transport holds unsent bytes."""
        self._writable = False

    def resume_writing(self) -> None:
        """Hear that the transport has sent them."""
        self._writable = True
        self.deadline_s = self._server.now_s + STALLED_S
        if isinstance(self._pump, TransportPump):
            self._pump.room()
        elif self._pump is not None and self._exchange is not None:
            self._pump.start()
        elif self._exchange is None:
            self._next()

    # what httptools calls

    def on_message_begin(self) -> None:
        """Count from here: a head has to come whole within its time, whatever drips in."""
        self._in_message = True
        self._message_bytes = self._head_bytes = 0
        if self._exchange is None:
            self.deadline_s = self._server.now_s + HEAD_S

    def on_url(self, url: bytes) -> None:
        """Take the target, or a part of it."""
        self._url = self._url + url if self._url else url
        if len(self._url) > MAX_TARGET_BYTES:
            raise BadRequestError(414, "the target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field."""
        self._raw.append((name, value))
        if name not in _PLAIN_NAMES:
            self._plain = False
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES or len(self._raw) > MAX_FIELDS:
            raise BadRequestError(431, "there are too many fields")

    def on_headers_complete(self) -> None:
        """Refuse at once what has content that nobody wants (a body is never read to its end to be refused)."""
        if self._plain:
            return
        for name, value in self._raw:
            lower = name.lower()
            if lower == b"expect" or lower == b"transfer-encoding" or (lower == b"content-length" and value != b"0"):
                self._check_body()
                break

    def on_body(self, body: bytes) -> None:
        """Pass over content of a request that has no use for it."""
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            raise BadRequestError(413, "content has no use here")

    def on_message_complete(self) -> None:
        """Answer, or let it wait for its turn."""
        parser, raw, url, plain = self._parser, self._raw, self._url, self._plain
        self._raw, self._url, self._in_message, self._body_bytes, self._plain = [], b"", False, 0, True
        keeps = parser.should_keep_alive()
        method = parser.get_method()
        server = self._server
        if (
            plain
            and keeps
            and method == b"GET"
            and server.plain
            and self._exchange is None
            and not self._queue
            and self._writable
            and not server.stopping
            and (hot := server.hot.get(url, server.now_s)) is not None
            and parser.get_http_version() == "1.1"
            and _has_one_host(raw)
        ):
            self.transport.write(server.heads.opening + hot.rest)
            self.deadline_s = server.now_s + IDLE_S
            server.served_hot(url, self.remote, hot.size, hot.bundle, raw)
            return
        http_1_0 = parser.get_http_version() != "1.1"
        fields = read_fields(raw, http_1_1=not http_1_0)
        exchange = Exchange(method.decode("latin-1"), url, fields, keeps and not self._linger, http_1_0, self.remote)
        if self._exchange is None and self._writable and not self._queue:
            self._begin(exchange)
        else:
            self._wait_for_turn(exchange)

    # one answer after the other

    def _check_body(self) -> None:
        version = self._parser.get_http_version()
        fields = read_fields(self._raw, http_1_1=version == "1.1")
        expectation = fields.get(b"expect")
        if expectation is not None and expectation.strip().lower() != "100-continue":
            raise BadRequestError(417, "nothing else can be expected")
        length = fields.get(b"content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            raise BadRequestError(413, "content has no use here")
        if expectation is not None or self._parser.get_method() not in (b"GET", b"HEAD", b"OPTIONS"):
            # the final answer comes instead of 100 (Continue); what the client sends all the same is passed over
            status = 413 if self._parser.get_method() in (b"GET", b"HEAD", b"OPTIONS") else 405
            raise BadRequestError(status, "content has no use here")

    def _wait_for_turn(self, exchange: Exchange) -> None:
        if self._queue is None:
            self._queue = deque()
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

    def _fail(self, status: int) -> None:
        """Answer what is no request, after the answers that are due before it; the connection ends."""
        refusal = text_answer(status, _SAID.get(status, "This is no request that can be answered.\n"), closes=True)
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
        self.deadline_s = self._server.now_s + STALLED_S
        if exchange.refusal is not None:
            self._send(Outcome(exchange.refusal))
            return
        decided = self._server.decide(exchange)
        if isinstance(decided, Outcome):
            self._send(decided)
            return
        self._task = self._server.loop.create_task(decided)
        self._task.add_done_callback(self._decided)

    def _decided(self, task: asyncio.Task[Outcome]) -> None:
        self._task = None
        if task.cancelled():
            return
        if self.transport.is_closing():
            _drop(task.result())
            return
        self.deadline_s = self._server.now_s + STALLED_S
        self._send(task.result())

    def _send(self, outcome: Outcome) -> None:
        exchange, answer = self._exchange, outcome.answer
        assert exchange is not None  # noqa: S101 - an answer belongs to a request
        server = self._server
        keeps = exchange.keeps and not answer.closes and not server.stopping
        if outcome.descriptor is not None:
            server.keep_hot(exchange, outcome)
        exchange.keeps = keeps
        self.answer = answer
        head = server.heads.head(answer, keeps=keeps, http_1_0=exchange.http_1_0)
        pieces = answer.pieces if exchange.method != "HEAD" else ()
        if outcome.descriptor is None and (server.bandwidth is None or not pieces):
            body = b"".join(piece for piece in pieces if isinstance(piece, bytes))
            self.transport.write(head + body)
            self._content_bytes = len(body)
            self.finished()
            return
        loop, bandwidth = server.loop, server.bandwidth
        if self.secure:
            self._pump = TransportPump(
                loop, self.transport, head, pieces, outcome.descriptor, self, bandwidth, full=lambda: not self._writable
            )
        else:
            out = self._duplicate()
            self._pump = SocketPump(loop, out, head, pieces, outcome.descriptor, self, bandwidth)
        if self._writable or self.secure:
            self._pump.start()

    def _duplicate(self) -> socket.socket:
        if self._dup is None:
            self._dup = self.transport.get_extra_info("socket").dup()
            self._dup.setblocking(False)
        return self._dup

    # what the pump calls

    def progressed(self, content_bytes: int) -> None:
        """Put the deadline off; there is none for the whole of a transfer."""
        self._content_bytes += content_bytes
        self.deadline_s = self._server.now_s + STALLED_S

    def finished(self) -> None:
        """Go on with the next request."""
        exchange, answer = self._exchange, self.answer
        self._exchange, self.answer, self._pump = None, None, None
        if exchange is None or answer is None:
            return
        self._server.ended(exchange, answer, self._content_bytes, complete=True)
        if not exchange.keeps:
            self._queue = None
            self._close_slowly()
            return
        self.deadline_s = self._server.now_s + (HEAD_S if self._in_message else IDLE_S)
        if self._queue:
            # not from within: many short answers must not nest
            self._server.loop.call_soon(self._next)
        else:
            self._next()

    def broke(self, reason: str) -> None:
        """Cut the connection: the client must see that the answer is not whole."""
        del reason
        self._pump = None
        self.transport.abort()

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
            self._fail(408)
        else:
            self.transport.close()

    def close_when_done(self) -> None:
        """End the connection after the answers that are due; at once when there is none."""
        if self.idle:
            self.transport.close()
        elif self._exchange is not None:
            self._exchange.keeps = False

    def _close_slowly(self) -> None:
        """Close; where more may still be coming, end only our side, so that a reset does not overtake the answer."""
        self._linger = True
        if self.secure or not self._unread:
            self.transport.close()
            return
        self.deadline_s = self._server.now_s + LINGER_S
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        self.transport.write_eof()


_SAID = {
    405: "Only GET, HEAD and OPTIONS are known here.\n",
    408: "The request took too long.\n",
    413: "A request with content has no use here.\n",
    414: "The address is too long.\n",
    417: "Nothing but 100-continue can be expected.\n",
    431: "The request has too many header fields, or too long ones.\n",
    501: "Only GET, HEAD and OPTIONS are known here.\n",
}
# fields that change nothing about the answer to a GET, as clients write them
_NEUTRAL = (b"Host", b"User-Agent", b"Accept", b"Connection", b"Accept-Encoding", b"Accept-Language", b"Cache-Control")
_PLAIN_NAMES = frozenset(_NEUTRAL) | frozenset(name.lower() for name in _NEUTRAL)
_HOST_NAMES = frozenset({b"Host", b"host"})


def _has_one_host(raw: list[tuple[bytes, bytes]]) -> bool:
    """Tell whether fields, all of them plain, name one host, and name it well."""
    hosts = [value for name, value in raw if name in _HOST_NAMES]
    return len(hosts) == 1 and is_authority(hosts[0])


def _drop(outcome: Outcome) -> None:
    if outcome.descriptor is not None:
        os.close(outcome.descriptor)
