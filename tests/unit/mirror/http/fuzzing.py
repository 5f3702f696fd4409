"""Streams that no client would send, brought to a connection: every one ends in whole answers or in silence.

What must hold for any bytes at all: nothing is raised, no request is answered twice, no response is cut or mixed with
another, a connection never waits for a client who waits for it, and no descriptor stays open.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

from mirror.http.exchange import Exchange, PreparedResponse
from mirror.http.heads import Heads
from mirror.http.response import file_response, text_response
from mirror.http.response_cache import ResponseCache
from mirror.http.timeouts import HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, LINGER_TIMEOUT_S, STALL_TIMEOUT_S
from tests.unit.mirror.http.a_file import a_file
from tests.unit.mirror.http.in_process import Client, Site, open_descriptors, read_answers
from tests.unit.mirror.open_files import open_file_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# no more than this is spent, however slow the machine is; what was done by then has to be right
LONGEST_S = 15.0
CONTENT = b"0123456789" * 50
SEEDS = (
    b"GET /a HTTP/1.1\r\nHost: master:8088\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
    b"HEAD /file HTTP/1.1\r\nHost: master\r\nConnection: close\r\n\r\n",
    b"GET /file HTTP/1.1\r\nHost: master\r\nRange: bytes=0-9,20-29,-5\r\nIf-Range: \"x\"\r\n\r\n",
    b"GET /slow HTTP/1.1\r\nHost: master\r\n\r\n",
    b"GET /last HTTP/1.1\r\nHost: master\r\n\r\n",
    b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\nmore of it",
    b"CONNECT master:443 HTTP/1.1\r\nHost: master:443\r\n\r\n\x16\x03\x01",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET http://master/a HTTP/1.1\r\nHost: other\r\nAuthorization: Basic YTpi\r\n\r\n",
    b"GET /\r\n",
    b"\r\n\r\n\n",
)  # fmt: skip
PLAIN_SEEDS = (
    *((b"GET /file HTTP/1.1\r\nHost: master\r\n\r\n", b"GET /a/file HTTP/1.1\r\nhost: x\r\naccept: b\r\n\r\n") * 4),
    b"GET /file HTTP/1.1\r\nHost: master\r\nConnection: close\r\n\r\n",
    b"GET /file HTTP/1.0\r\nHost: master\r\nConnection: keep-alive\r\n\r\n",
    b"GET /file HTTP/1.1\r\nHost: master\r\nContent-Length: 43\r\n\r\nGET /file HTTP/1.1\r\nHost: master\r\n\r\n12345",
    b"HEAD /file HTTP/1.1\r\nHost: master\r\n\r\n",
    b"GET /slow HTTP/1.1\r\nHost: master\r\n\r\n",
)  # fmt: skip
TOKENS = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\xff", b"\x0b", b"\r\n\r\n", b"\r\n ", b"0\r\n\r\n"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"Host: y\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: xchunked\r\n"),
    *(b"Connection: close\r\n", b"Upgrade: x\r\n", b"HTTP/1.1", b"HTTP/0.9", b"HTTP/9.9", b"ffffffffffffffffff\r\n"),
    *(b"GET ", b"HEAD ", b"A" * 9000, b"A: b\r\n" * 101, b"%00", b"/../", b"bytes=0-0," * 40, b"Expect: tea\r\n"),
)  # fmt: skip


def mutated(
    chance: random.Random, seeds: Sequence[bytes] = SEEDS, damages: Sequence[int] = (0, 1, 1, 2, 3, 8)
) -> bytes:
    """Return a few requests, damaged in a few places."""
    stream = bytearray(b"".join(chance.choice(seeds) for _ in range(chance.randint(1, 5))))
    for _ in range(chance.choice(damages)):
        at = chance.randrange(len(stream) + 1)
        match chance.randrange(5):
            case 0:
                stream[at:at] = chance.choice(TOKENS)
            case 1:
                del stream[at : at + chance.randint(1, 20)]
            case 2:
                stream[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                stream[at:at] = stream[chance.randrange(len(stream) + 1) :][: chance.randint(1, 80)]
            case _:
                stream[at : at + 4] = chance.choice(TOKENS)
    return bytes(stream)


def split(chance: random.Random, stream: bytes) -> list[bytes]:
    """Return the stream in blocks, as a network might bring them."""
    cuts = sorted(chance.randrange(len(stream) + 1) for _ in range(chance.choice((0, 0, 1, 3, 10))))
    return [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


class Answering:
    """Answers of every sort: at once, after a while, from a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = a_file(len(CONTENT))

    def decide(self, exchange: Exchange) -> Any:
        if b"slow" in exchange.raw_target:
            return self._later(exchange)
        if b"file" in exchange.raw_target:
            response = file_response(exchange.fields, self._file)
            if not response.pieces or response.file is None or exchange.method == "HEAD":
                return PreparedResponse(response)
            return PreparedResponse(response, open_file_at(self._path))
        if b"last" in exchange.raw_target:
            return PreparedResponse(text_response(200, "the last one", closes=True))
        return PreparedResponse(text_response(200, f"{exchange.method} {exchange.raw_target.decode('latin-1')}\n"))

    async def _later(self, exchange: Exchange) -> PreparedResponse:
        await asyncio.sleep(0)
        return PreparedResponse(text_response(200, exchange.raw_target.decode("latin-1")))


def play(client: Client, chance: random.Random, stream: bytes) -> None:
    """Bring the stream as a network does: nothing is read while the server pauses, nothing after it has closed."""
    blocks = split(chance, stream)
    for _ in range(len(blocks) + 400):
        if client.transport.closing or not blocks:
            break
        if client.transport.unsent or client.transport.full:
            client.transport.drain()
        if not client.transport.paused:
            client.connection.data_received(blocks.pop(0))
        if chance.random() < 0.1:
            client.transport.full = True
        if client.transport.paused or chance.random() < 0.5:
            client.turn()
    assert client.transport.closing or not blocks, "it has stopped reading, and waits for nothing"
    if client.transport.full:
        client.transport.drain()
    for _ in range(200):
        client.turn()
        if not client.connection._queue and client.connection._exchange is None:
            break


def check(client: Client, site: Site) -> None:
    """Hold what came back to what the server says that it did."""
    methods = [ended.method for ended in site.ended_answers]
    answers = read_answers(bytes(client.transport.sent), *methods)
    assert [response.status for response in answers] == site.statuses
    assert all(ended.complete for ended in site.ended_answers)
    closes = [response.fields.get("Connection") == "close" for response in answers]
    assert not any(closes[:-1]), "something was answered behind the last response"
    assert not closes or not closes[-1] or not client.is_open()
    assert client.is_open() or client.transport.aborted or not site.asked or closes[-1]
    if client.is_open():
        assert client.connection._exchange is None
        assert not client.connection._queue
        assert not client.is_waited_for(), "nobody reads, and nobody answers"


def hold_to_any_bytes(seed: int, streams: int, scratch: Path) -> None:
    """Bring so many streams, each to a connection of its own, and hold what comes back to what must always hold."""
    chance = random.Random(seed)
    path = scratch / "file"
    path.write_bytes(CONTENT)
    loop = asyncio.new_event_loop()
    mistakes: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: mistakes.append(context))
    began_s, before = time.monotonic(), open_descriptors()
    for number in range(streams):
        stream = mutated(chance)
        site = Site(loop, decision=Answering(path).decide)
        client = Client(site, secure=True)
        try:
            play(client, chance, stream)
            check(client, site)
            if chance.random() < 0.1:
                client.later(max(HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, STALL_TIMEOUT_S) + LINGER_TIMEOUT_S + 2)
                assert client.transport.closing
        except Exception as error:
            raise AssertionError(f"stream {number} of seed {seed}: {stream!r}") from error
        client.lose()
        assert site.open_connections == 0
        assert site.sending == 0
        if time.monotonic() - began_s > LONGEST_S:
            break
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert mistakes == []
    assert open_descriptors() <= before


def hold_memory_to_the_parser(seed: int, streams: int, scratch: Path) -> None:
    """Two connections get the same blocks, one with a memory of all that came before: both say the same."""
    chance = random.Random(seed)
    path = scratch / "file"
    path.write_bytes(CONTENT)
    loop = asyncio.new_event_loop()
    heads, cache = Heads(lambda: 1_600_000_000.0), ResponseCache()
    # the same blocks again and again: whole requests, halves of them, and one with a half of the next
    again = [seed + other[:cut] for seed in PLAIN_SEEDS[::3] for other in PLAIN_SEEDS[::4] for cut in (0, 1, 20)]
    again += [seed[cut:] for seed in PLAIN_SEEDS[::3] for cut in (0, 0, 0, 1, 20)] + [b"\r\n", b"G", b"\r"]
    remembered = 0
    began_s = time.monotonic()
    for number in range(streams):
        blocks = [block for _ in range(3) for block in split(chance, mutated(chance, PLAIN_SEEDS, (0, 0, 1, 2)))]
        if number % 2:
            blocks = [chance.choice(again) for _ in range(chance.randint(2, 8))]
        said: list[bytes] = []
        for plain in (True, False):
            site = Site(loop, Answering(path).decide, heads, cache, plain=plain)
            client = Client(site, secure=True)
            for block in blocks:
                if not client.transport.closing:
                    client.send(block)
            assert len(site.ended_answers) >= len(site.asked)
            remembered += plain and len(site.ended_answers) - len(site.asked)
            said.append(bytes(client.transport.sent) + b"open" * client.is_open())
            client.lose()
        assert said[0] == said[1], f"stream {number}: {blocks!r}"
        if time.monotonic() - began_s > LONGEST_S:
            break
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert remembered > number / 2
