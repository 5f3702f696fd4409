"""A connection without a network: a transport that remembers, and a worker that answers what a test tells it.

exchanges = Site()
client = connect(exchanges)
client.send(b"GET /a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
assert client.answers() == [...]
"""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror.http.connection import Connection
from mirror.http.exchange import PreparedResponse
from mirror.http.heads import Heads
from mirror.http.response import text_response
from mirror.http.response_cache import ResponseCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.http.exchange import Exchange
    from mirror.http.request_fields import RequestFields
    from mirror.http.response import OutgoingResponse
    from mirror.shared.bandwidth import Bandwidth
    from mirror.tree.opening import NotTheCheckedFileError
    from mirror.tree.served import File


class Ended(NamedTuple):
    """One response that the server was told of."""

    method: str
    target: bytes
    status: int
    content_bytes: int
    complete: bool


class Received(NamedTuple):
    """One response as a client reads it."""

    status: int
    fields: dict[str, str]
    body: bytes


class Transport:
    """What asyncio promises of a transport, as far as a connection may rely on it; misuse is an error."""

    def __init__(self, protocol: Connection) -> None:
        self.protocol = protocol
        self.sent = bytearray()
        self.unsent = bytearray()
        self.full = False
        self.closing = self.ended = self.aborted = self.paused = False

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 50000) if name == "peername" else None

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        del high, low

    def write(self, data: bytes) -> None:
        assert not self.ended, "written to after the end was sent"
        assert not self.closing, "written to after close"
        if self.full:
            self.unsent += data
            self.protocol.pause_writing()
        else:
            self.sent += data

    def drain(self) -> None:
        """Take what was not sent, as a client does that reads again."""
        self.full = False
        self.sent += self.unsent
        self.unsent.clear()
        self.protocol.resume_writing()

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@dataclass(slots=True)
class Site:
    """The worker that a connection talks to.

    Arguments:
        decision: what is answered; without one, 200 and the target.
        ended_answers: what the connection told of, in order.
    """

    loop: asyncio.AbstractEventLoop
    decision: Callable[[Exchange], Any] | None = None
    heads: Heads = field(default_factory=Heads)
    cache: ResponseCache = field(default_factory=ResponseCache)
    bandwidth: Bandwidth | None = None
    now_s: int = 0
    stopping: bool = False
    plain: bool = False
    wanted: bool = True
    ended_answers: list[Ended] = field(default_factory=list)
    asked: list[Exchange] = field(default_factory=list)
    changed: list[File] = field(default_factory=list)
    open_connections: int = 0
    sending: int = 0
    transfers: int = 1000

    def opened(self, client: object) -> bool:
        del client
        self.open_connections += self.wanted
        return self.wanted

    def closed(self, client: object) -> None:
        del client
        self.open_connections -= 1

    def may_send(self) -> bool:
        return self.sending < self.transfers

    def decide(self, exchange: Exchange) -> Any:
        self.asked.append(exchange)
        if self.decision is not None:
            return self.decision(exchange)
        return PreparedResponse(text_response(200, exchange.raw_target.decode("latin-1")))

    def keep_response(self, exchange: Exchange, prepared: PreparedResponse) -> None:
        if self.plain and prepared.file is not None:
            self.cache.keep(exchange.raw_target, prepared.response, prepared.file, self.now_s)

    def file_changed(self, error: NotTheCheckedFileError) -> None:
        self.changed.append(error.file)

    def served_from_cache(self, raw_target: bytes, remote: str, size: int, bundle: str, fields: RequestFields) -> None:
        del remote, bundle, fields
        self.ended_answers.append(Ended("GET", raw_target, 200, size, complete=True))

    def ended(self, exchange: Exchange, response: OutgoingResponse, content_bytes: int, *, complete: bool) -> None:
        self.ended_answers.append(
            Ended(exchange.method, exchange.raw_target, response.status, content_bytes, complete)
        )  # fmt: skip

    @property
    def statuses(self) -> list[int]:
        """The statuses of the answers so far."""
        return [ended.status for ended in self.ended_answers]


class Client:
    """The other end of a connection."""

    def __init__(self, site: Site, *, secure: bool) -> None:
        # through TLS all bytes take the transport, so no socket is needed
        self.connection = Connection(site, secure=secure)
        self.transport = Transport(self.connection)
        self.site = site
        self.connection.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        """Send bytes, and let the server do what it has to."""
        self.connection.data_received(data)
        self.turn()

    def turn(self) -> None:
        """Run what the loop has waiting."""
        for _ in range(3):
            self.site.loop.run_until_complete(_nothing())

    def end(self) -> None:
        """End this side only; a transport that is not to stay open closes."""
        if not self.connection.eof_received():
            self.transport.close()
        self.turn()

    def lose(self) -> None:
        """Lose the connection."""
        self.transport.close()
        self.connection.connection_lost(None)

    def later(self, seconds: int) -> None:
        """Let time pass, second by second, as the server's tick does."""
        for _ in range(seconds):
            self.site.now_s += 1
            if self.connection.deadline_s < self.site.now_s and not self.transport.closing:
                self.connection.expire()

    def is_open(self) -> bool:
        """Tell whether another request would be answered."""
        return not self.transport.closing and not self.transport.ended

    def is_waited_for(self) -> bool:
        """Tell whether the server has stopped reading until earlier requests are answered."""
        return self.transport.paused

    def answers(self, *methods: str) -> list[Received]:
        """Return what came so far, which has to be whole answers and nothing else.

        Arguments:
            methods: of the requests, when one of them was HEAD.
        """
        return read_answers(bytes(self.transport.sent), *methods)


async def _nothing() -> None:
    await asyncio.sleep(0)


_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [A-Za-z ]+")


def read_answers(data: bytes, *methods: str) -> list[Received]:
    """Read answers one after the other; anything between or behind them is an error."""
    answers: list[Received] = []
    waiting = list(methods)
    while data:
        head, blank, data = data.partition(b"\r\n\r\n")
        assert blank, f"a head without an end: {head[:200]!r}"
        first, *lines = head.split(b"\r\n")
        matched = _STATUS_LINE.fullmatch(first)
        assert matched is not None, f"no status line: {first[:200]!r}"
        status = int(matched[1])
        fields = dict(line.decode("latin-1").split(": ", 1) for line in lines)
        size = int(fields.get("Content-Length", "0"))
        if status in (204, 304) or (waiting and waiting.pop(0) == "HEAD"):
            size = 0
        assert len(data) >= size, f"{size - len(data)} bytes are missing of the response {first!r}"
        answers.append(Received(status, fields, data[:size]))
        data = data[size:]
    return answers


def open_descriptors() -> int:
    """Return how many descriptors this process holds."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count, no paths
