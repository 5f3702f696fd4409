"""What a connection keeps while it waits: bytes of a head that has begun, and no parser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from mirror.http.request_parser import MAX_HELD_BYTES
from mirror.http.timeouts import HEAD_TIMEOUT_S
from tests.unit.mirror.http.in_process import Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = b"GET /a HTTP/1.1\r\nHost: master\r\n\r\n"


@pytest.fixture
def client() -> Iterator[Client]:
    loop = asyncio.new_event_loop()
    yield Client(Site(loop), secure=False)
    loop.close()


def bodies(client: Client) -> list[bytes]:
    return [response.body for response in client.answers()]


def has_parser(client: Client) -> bool:
    return client.connection._parser is not None


def test_an_idle_connection_has_no_parser(client: Client) -> None:
    client.send(ONE)
    assert not has_parser(client)
    client.send(ONE + ONE)
    assert bodies(client) == [b"/a"] * 3
    assert not has_parser(client)


@pytest.mark.parametrize("cut", range(len(b"HEAD "), len(ONE)))
def test_a_head_that_has_begun_has_no_parser(client: Client, cut: int) -> None:
    client.send(ONE[:cut])
    assert not has_parser(client)
    assert not client.connection.idle
    client.send(ONE[cut:])
    assert bodies(client) == [b"/a"]
    assert client.connection.idle


def test_bytes_are_held_up_to_a_limit(client: Client) -> None:
    client.send(ONE[:-2] + b"X: " + b"x" * MAX_HELD_BYTES)
    assert has_parser(client)
    client.send(b"\r\n\r\n")
    assert bodies(client) == [b"/a"]


def test_a_head_that_grows_beyond_the_limit_is_parsed_once(client: Client) -> None:
    for _ in range(MAX_HELD_BYTES // 40 + 2):
        client.send(b"X: " + b"x" * 40 + b"\r\n" if client.connection._held or has_parser(client) else ONE[:-2])
    assert has_parser(client)
    client.send(b"\r\n")
    assert bodies(client) == [b"/a"]
    assert not has_parser(client)


@pytest.mark.parametrize(
    "begun",
    [
        b"\x16\x03\x01\x02\x00",
        b"POST /a HTTP/1.1\r\nContent-Le",
        b"BREW / HTTP/1.1\r\n",
        b"GET /\r\n",
        b"GET / HTTP/9\r\n",
    ],
)
def test_what_is_no_usual_request_is_not_held(client: Client, begun: bytes) -> None:
    client.send(begun)
    assert client.connection._held == b""
    assert has_parser(client)


def test_half_a_request_behind_a_whole_one_is_the_parsers(client: Client) -> None:
    client.send(ONE + ONE[:10])
    assert has_parser(client)
    client.send(ONE[10:])
    assert bodies(client) == [b"/a", b"/a"]


def test_a_held_head_does_not_get_more_time_when_more_of_it_comes(client: Client) -> None:
    client.send(ONE[:10])
    deadline_s = client.connection.deadline_s
    client.site.now_s += HEAD_TIMEOUT_S - 1
    for byte in ONE[10:-2]:
        client.send(bytes([byte]))
    client.send(b"X: " + b"x" * MAX_HELD_BYTES)
    assert has_parser(client)
    assert client.connection.deadline_s == deadline_s


@pytest.mark.parametrize(
    ("begun", "body"),
    [
        (b"GET /a HTTP/1.1\r\nHo", b"The request took too long.\n"),
        (b"GET /v2/a/manifests/1 HTTP/1.1\r\nHo", b'{"errors"'),
        (b"GET /a HTTP/1.1\r\nHo st", b"This is no request"),
    ],
)
def test_a_held_head_is_looked_at_when_its_time_is_over(client: Client, begun: bytes, body: bytes) -> None:
    client.send(begun)
    client.later(HEAD_TIMEOUT_S + 1)
    (answer,) = client.answers()
    assert answer.body.startswith(body)
    assert answer.status == (400 if b"no request" in body else 408)
    assert not client.is_open()
