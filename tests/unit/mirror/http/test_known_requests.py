"""Requests that are known again by their bytes: never another response than the parser would have led to."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from mirror.http.response import file_response
from mirror.tree.identity import identity_of
from mirror.tree.open_file import open_to_send
from mirror.tree.served import File, FilePlace
from tests.unit.mirror.http.a_file import MODIFIED_S, a_file
from tests.unit.mirror.http.in_process import Client, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOT = b"GET /hot HTTP/1.1\r\nHost: master\r\nUser-Agent: libdnf\r\nAccept: */*\r\n\r\n"
COLD = b"GET /cold HTTP/1.1\r\nHost: master\r\nUser-Agent: libdnf\r\nAccept: */*\r\n\r\n"
CONTENT = b"what the bundle lists"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a.rpm"
    found.write_bytes(CONTENT)
    return found


@pytest.fixture
def site(path: Path) -> Iterator[Site]:
    """A worker that has one file in memory; everything else is decided, and answered by its target."""
    loop = asyncio.new_event_loop()
    site = Site(loop, plain=True)
    directory = os.open(path.parent, os.O_RDONLY)
    listed = a_file(len(CONTENT))
    file = File(
        FilePlace(directory, path.name), listed.size, listed.etag, MODIFIED_S, listed.media_type,
        identity_of(path.stat()), listed.bundle, listed.path, listed.digest,
    )  # fmt: skip
    opened = open_to_send(file)
    site.cache.keep(b"/hot", file_response({}, file), opened, site.now_s)
    yield site
    opened.close()
    os.close(directory)
    loop.close()


def bodies(client: Client) -> list[bytes]:
    return [response.body for response in client.answers()]


def test_the_same_bytes_are_answered_without_being_parsed_again(site: Site) -> None:
    first, second = Client(site, secure=False), Client(site, secure=False)
    first.send(HOT)
    second.send(HOT)
    assert bodies(first) == bodies(second) == [CONTENT]
    assert second.connection._parser is None
    assert site.statuses == [200, 200]
    assert second.is_open()


def test_the_last_of_several_is_not_taken_for_what_comes_next(site: Site) -> None:
    client = Client(site, secure=False)
    client.send(HOT + HOT)
    for _ in range(3):
        client.send(COLD)
    assert bodies(client) == [CONTENT, CONTENT, b"/cold", b"/cold", b"/cold"]


@pytest.mark.parametrize("cut", range(1, len(HOT), 7))
def test_halves_are_no_requests(site: Site, cut: int) -> None:
    client = Client(site, secure=False)
    for _ in range(2):
        client.send(HOT[:cut])
        client.send(HOT[cut:])
    assert bodies(client) == [CONTENT, CONTENT]
    other = Client(site, secure=False)
    other.send(HOT[cut:])
    assert CONTENT not in bodies(other)


def test_what_is_behind_a_request_is_not_forgotten(site: Site) -> None:
    client = Client(site, secure=False)
    for _ in range(3):
        client.send(HOT + COLD[:10])
        client.send(COLD[10:])
    assert bodies(client) == [CONTENT, b"/cold"] * 3


def test_a_file_that_changed_is_looked_for_again_within_a_second(site: Site, path: Path) -> None:
    client = Client(site, secure=False)
    client.send(HOT)
    client.send(HOT)
    path.write_bytes(b"other bytes")
    site.now_s += 1
    client.send(HOT)
    assert bodies(client) == [CONTENT, CONTENT, b"/hot"]


@pytest.mark.parametrize(
    "more", [b"Range: bytes=0-3", b"If-None-Match: *", b"Authorization: Basic eDp5", b"X-Other: 1"]
)
def test_a_request_with_more_to_it_is_decided(site: Site, more: bytes) -> None:
    client = Client(site, secure=False)
    for _ in range(2):
        client.send(HOT[:-2] + more + b"\r\n\r\n")
    assert bodies(client) == [b"/hot", b"/hot"]


def test_nothing_comes_from_memory_when_users_are_asked_for(site: Site) -> None:
    client = Client(site, secure=False)
    client.send(HOT)
    client.send(HOT)
    site.plain = False
    client.send(HOT)
    assert bodies(client) == [CONTENT, CONTENT, b"/hot"]


def test_a_reload_forgets_requests_too(site: Site) -> None:
    client = Client(site, secure=False)
    client.send(HOT)
    site.cache.forget()
    client.send(HOT)
    assert bodies(client) == [CONTENT, b"/hot"]
