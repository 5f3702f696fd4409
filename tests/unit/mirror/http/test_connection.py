"""One connection: order, limits, what ends it. Without a network."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from mirror.http.connection import MAX_PIPELINED
from mirror.http.exchange import Exchange, PreparedResponse
from mirror.http.response import file_response, text_response
from mirror.http.timeouts import HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, LINGER_TIMEOUT_S, STALL_TIMEOUT_S
from mirror.shared.bandwidth import Bandwidth
from tests.unit.mirror.http.a_file import a_file
from tests.unit.mirror.http.in_process import Client, Site
from tests.unit.mirror.open_files import open_file_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.open_file import OpenFile

GET = b"GET /%s HTTP/1.1\r\nHost: master\r\n\r\n"
ONE = GET % b"a"


@pytest.fixture
def site() -> Iterator[Site]:
    loop = asyncio.new_event_loop()
    yield Site(loop)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site, secure=False)


class Slow:
    """Answers that wait until the test lets them go."""

    def __init__(self, site: Site) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        site.decision = self.decide

    def decide(self, exchange: Exchange) -> Any:
        return self._answer(exchange.raw_target.decode())

    async def _answer(self, target: str) -> PreparedResponse:
        self.gates[target] = asyncio.Event()
        await self.gates[target].wait()
        return PreparedResponse(text_response(200, target))


def bodies(client: Client) -> list[bytes]:
    return [response.body for response in client.answers()]


def test_answers_come_in_the_order_of_the_requests(client: Client) -> None:
    client.send(b"".join(GET % f"{number}".encode() for number in range(200)))
    assert bodies(client) == [f"/{number}".encode() for number in range(200)]
    assert client.is_open()


def test_a_request_may_come_byte_by_byte(client: Client) -> None:
    for byte in ONE + ONE:
        client.send(bytes([byte]))
    assert bodies(client) == [b"/a", b"/a"]


def test_what_comes_behind_a_slow_answer_waits_for_it(site: Site, client: Client) -> None:
    slow = Slow(site)
    client.send(GET % b"1" + GET % b"2")
    assert bodies(client) == []
    assert client.is_waited_for()
    assert list(slow.gates) == ["/1"]
    slow.gates["/1"].set()
    client.turn()
    client.turn()
    assert list(slow.gates) == ["/1", "/2"]
    slow.gates["/2"].set()
    client.turn()
    client.turn()
    assert bodies(client) == [b"/1", b"/2"]
    assert not client.is_waited_for()
    client.send(ONE)
    assert "/a" in slow.gates


def test_more_than_may_wait_ends_the_connection_after_those_that_do(site: Site, client: Client) -> None:
    slow = Slow(site)
    client.send(b"".join(GET % f"{number}".encode() for number in range(300)))
    for number in range(MAX_PIPELINED + 1):
        slow.gates[f"/{number}"].set()
        client.turn()
        client.turn()
    assert bodies(client) == [f"/{number}".encode() for number in range(MAX_PIPELINED + 1)]
    assert client.answers()[-1].fields["Connection"] == "close"
    assert not client.is_open()


@pytest.mark.parametrize(
    ("request_bytes", "stays", "told"),
    [
        (ONE, True, None),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False, "close"),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive\r\n\r\n", True, None),
        (b"GET /a HTTP/1.0\r\n\r\n", False, "close"),
        (b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True, "keep-alive"),
    ],
)
def test_whether_a_connection_stays_open(client: Client, request_bytes: bytes, stays: bool, told: str | None) -> None:
    client.send(request_bytes)
    assert client.answers()[0].fields.get("Connection") == told
    assert client.is_open() is stays


def test_nothing_is_answered_behind_the_last_request(site: Site, client: Client) -> None:
    client.send(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + ONE)
    assert bodies(client) == [b"/a"]
    assert site.statuses == [200]
    assert not client.is_open()


def test_a_protocol_that_is_not_spoken_is_no_reason_not_to_answer(client: Client) -> None:
    client.send(
        b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABk\r\n\r\n"
    )
    (response,) = client.answers()
    assert (response.status, response.body) == (200, b"/a")
    # a client must not send its next request where nobody reads it
    assert client.is_open() or response.fields["Connection"] == "close"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405),
        (b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 405),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 413),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417),
        (b"BREW /a HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"GET /a HTTP/1.1\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 501),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /a HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET /a HTTP/1.1\r\nHost: x\r\na: " + b"b" * 40000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_refused_ends_the_connection(client: Client, request_bytes: bytes, status: int) -> None:
    client.send(request_bytes)
    (response,) = client.answers()
    assert response.status == status
    assert response.fields["Connection"] == "close"
    assert (status == 405) is ("Allow" in response.fields)
    assert not client.is_open()
    client.connection.data_received(ONE)
    assert len(client.answers()) == 1


def test_a_refusal_waits_for_the_answers_before_it(site: Site, client: Client) -> None:
    slow = Slow(site)
    client.send(GET % b"1" + b"GET nonsense\r\n\r\n")
    assert client.answers() == []
    slow.gates["/1"].set()
    client.turn()
    client.turn()
    assert [response.status for response in client.answers()] == [200, 400]
    assert not client.is_open()


@pytest.mark.parametrize(
    "expectation",
    [b"GET /a HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", ONE[:-2] + b"Expect: 100-Continue\r\n\r\n"],
)
def test_to_expect_leave_to_send_nothing_changes_nothing(client: Client, expectation: bytes) -> None:
    # RFC 9110, 10.1.1: HTTP/1.0 cannot expect; and a request without content waits for nothing
    client.send(expectation)
    assert [response.status for response in client.answers()] == [200]


def test_content_of_a_get_is_passed_over(client: Client) -> None:
    client.send(b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /" + ONE)
    client.send(b"GET /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + ONE)
    assert bodies(client) == [b"/a", b"/a", b"/b", b"/a"]


def test_chunked_content_without_end_is_refused(client: Client) -> None:
    client.send(b"GET /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(40):
        client.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    assert [response.status for response in client.answers()] == [413]
    assert not client.is_open()


@pytest.mark.parametrize("piece", [b"a: b\r\n", b"x" * 1000])
def test_a_head_without_end_is_refused(client: Client, piece: bytes) -> None:
    client.send(b"GET /a HTTP/1.1\r\nHost: x\r\n")
    for _ in range(2000):
        client.send(piece)
    assert [response.status for response in client.answers()] == [431]
    assert not client.is_open()


# deadlines


def test_a_silent_client_is_sent_away(client: Client) -> None:
    client.later(HEAD_TIMEOUT_S)
    assert client.is_open()
    client.later(1)
    assert not client.is_open()
    assert client.answers() == []


def test_a_head_that_drips_is_not_waited_for(client: Client) -> None:
    for byte in (ONE[:-4] + b"x" * HEAD_TIMEOUT_S)[:HEAD_TIMEOUT_S]:
        client.send(bytes([byte]))
        client.later(1)
    assert client.is_open()
    client.send(b"x")
    client.later(2)
    assert [response.status for response in client.answers()] == [408]
    assert not client.is_open()


@pytest.mark.parametrize("blank", [b"\r\n", b"\n"])
def test_blank_lines_keep_nothing_alive(client: Client, blank: bytes) -> None:
    client.send(ONE)
    for _ in range(IDLE_TIMEOUT_S + 2):
        if client.is_open():
            client.send(blank)
        client.later(1)
    assert not client.is_open()


def test_an_idle_connection_is_kept_for_a_while(client: Client) -> None:
    client.send(ONE)
    client.later(IDLE_TIMEOUT_S)
    assert client.is_open()
    client.send(ONE)
    assert len(client.answers()) == 2
    client.later(IDLE_TIMEOUT_S + 1)
    assert client.transport.closing
    assert len(client.answers()) == 2


def test_a_client_that_stops_reading_is_cut_and_one_that_reads_is_not(site: Site) -> None:
    client = Client(site, secure=True)
    client.transport.full = True
    client.send(ONE + ONE)
    for _ in range(5):
        client.later(STALL_TIMEOUT_S)
        assert not client.transport.closing
        client.transport.drain()
        client.transport.full = True
        client.send(ONE)
    client.later(IDLE_TIMEOUT_S + 1)
    assert client.transport.closing


def test_a_client_that_was_refused_may_read_for_a_moment_and_no_longer(client: Client) -> None:
    client.send(b"nonsense\r\n\r\n")
    assert client.transport.ended
    for _ in range(LINGER_TIMEOUT_S):
        client.connection.data_received(b"more of it")
        client.later(1)
    assert not client.transport.aborted
    client.later(1)
    assert client.transport.aborted


@pytest.mark.parametrize("capped", [False, True])
def test_without_descriptors_for_a_transfer_there_is_an_answer_still(site: Site, tmp_path: Path, capped: bool) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    site.transfers = 0
    site.bandwidth = Bandwidth(1_000_000) if capped else None
    opened: list[OpenFile] = []

    def decide(exchange: Exchange) -> PreparedResponse:
        if exchange.raw_target != b"/file":
            return PreparedResponse(text_response(404, "nothing\n"))
        opened.append(open_file_at(tmp_path / "file"))
        return PreparedResponse(file_response({}, a_file(100)), opened[-1])

    site.decision = decide
    client = Client(site, secure=True)
    client.send(GET % b"file" + GET % b"absent")
    assert [response.status for response in client.answers()] == [503, 404]
    assert client.is_open()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0]._descriptor)


# the end


def test_a_client_that_ends_its_side_still_gets_its_answer(site: Site, client: Client) -> None:
    slow = Slow(site)
    client.send(ONE)
    client.end()
    assert not client.transport.closing
    slow.gates["/a"].set()
    client.turn()
    client.turn()
    assert bodies(client) == [b"/a"]
    assert not client.is_open()


def test_a_client_that_ends_its_side_in_silence_is_let_go(client: Client) -> None:
    client.end()
    assert client.transport.closing


def test_an_answer_to_somebody_who_left_is_dropped_and_told_of_once(site: Site, client: Client) -> None:
    slow = Slow(site)
    client.send(ONE)
    client.lose()
    client.turn()
    slow.gates["/a"].set()
    client.turn()
    assert client.transport.sent == b""
    assert site.ended_answers == []
    assert site.open_connections == 0


def test_a_mistake_of_ours_in_the_middle_of_waiting_cuts_the_connection(site: Site, client: Client) -> None:
    async def fail() -> PreparedResponse:
        raise ZeroDivisionError

    told: list[dict[str, Any]] = []
    site.loop.set_exception_handler(lambda _, context: told.append(context))
    site.decision = lambda _: fail()
    client.send(ONE)
    assert client.transport.aborted
    assert isinstance(told[0]["exception"], ZeroDivisionError)


def test_a_stop_lets_answers_end_and_closes_the_idle(site: Site) -> None:
    idle, busy = Client(site, secure=False), Client(site, secure=False)
    idle.send(ONE)
    slow = Slow(site)
    busy.send(GET % b"1" + GET % b"2")
    site.stopping = True
    for client in (idle, busy):
        client.connection.close_when_done()
    assert idle.transport.closing
    assert not busy.transport.closing
    slow.gates["/1"].set()
    busy.turn()
    busy.turn()
    (response,) = busy.answers()
    assert (response.body, response.fields["Connection"]) == (b"/1", "close")
    assert not busy.is_open()


def test_a_request_that_was_half_read_at_a_stop_is_the_last(site: Site, client: Client) -> None:
    client.send(ONE[:10])
    site.stopping = True
    client.connection.close_when_done()
    assert client.is_open()
    client.send(ONE[10:])
    (response,) = client.answers()
    assert response.fields["Connection"] == "close"
    assert not client.is_open()


def test_once_others_have_taken_over_an_idle_connection_may_bring_its_last_request(site: Site) -> None:
    asks, silent = Client(site, secure=False), Client(site, secure=False)
    for client in (asks, silent):
        client.send(ONE)
        client.answers()
    site.stopping = True
    for client in (asks, silent):
        client.connection.close_when_done(5)
        assert client.is_open()
        assert client.connection.deadline_s == site.now_s + 5
    asks.send(ONE)
    response = asks.answers()[-1]
    assert response.fields["Connection"] == "close"
    assert not asks.is_open()
    silent.connection.expire()
    assert not silent.is_open()
