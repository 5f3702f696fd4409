"""The registry as a connection sees it: its errors, what memory may response, what its own port answers."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import pytest

from mirror.http.connection import Connection
from mirror.http.registry_urls import is_registry, is_registry_url, registry_file_response
from mirror.http.request_target import parse_target
from mirror.http.response import file_response
from mirror.tree.identity import identity_of
from mirror.tree.open_file import open_to_send
from mirror.tree.served import File, FilePlace
from tests.unit.mirror.http.a_file import MODIFIED_S, a_file
from tests.unit.mirror.http.in_process import Client, Site, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INDEX = "application/vnd.oci.image.index.v1+json"
URL = b"/v2/demo/manifests/1"
CONTENT = b"a document"


def request(url: bytes, *fields: bytes, method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" " + url + b" HTTP/1.1", b"Host: master", *fields, b"", b""])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A worker that has one document in memory, for who accepts an index; all else is answered by its target."""
    path = tmp_path / "document"
    path.write_bytes(CONTENT)
    loop = asyncio.new_event_loop()
    site = Site(loop, plain=True)
    directory = os.open(tmp_path, os.O_RDONLY)
    listed = a_file(len(CONTENT))
    file = File(
        FilePlace(directory, path.name), listed.size, listed.etag, MODIFIED_S, listed.media_type,
        identity_of(path.stat()), listed.bundle, listed.path, listed.digest,
    )  # fmt: skip
    opened = open_to_send(file)
    site.cache.keep(URL, file_response({}, file), opened, site.now_s, f"{INDEX}, text/plain")
    yield site
    opened.close()
    os.close(directory)
    loop.close()


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ((f"Accept: {INDEX}, text/plain".encode(),), CONTENT),
        ((f"Accept: {INDEX}".encode(), b"Accept: text/plain"), CONTENT),
        ((f"Accept: {INDEX}".encode(),), URL),
        ((b"Accept: */*",), URL),
        ((), URL),
    ],
)
def test_memory_answers_only_who_accepts_the_same(site: Site, fields: tuple[bytes, ...], body: bytes) -> None:
    client = Client(site, secure=False)
    for _ in range(3):
        client.send(request(URL, *fields))
    assert [response.body for response in client.answers()] == [body] * 3


def test_the_registry_s_own_port_is_not_answered_from_memory(site: Site) -> None:
    wanted = request(URL, f"Accept: {INDEX}, text/plain".encode())
    first = Client(site, secure=False)
    first.send(wanted)
    assert [response.body for response in first.answers()] == [CONTENT]
    client = Client(site, secure=False)
    client.connection = Connection(site, secure=False, only_registry=True)
    client.transport = Transport(client.connection)
    client.connection.connection_made(client.transport)
    client.send(wanted)
    assert [response.body for response in client.answers()] == [URL]
    assert [exchange.only_registry for exchange in site.asked] == [True]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (request(b"/v2/a/manifests/1", b"Content-Length: 3", method=b"PUT"), 405, "UNSUPPORTED"),
        (request(b"/v2/a/blobs/uploads/1", b"Transfer-Encoding: chunked", method=b"PATCH"), 405, "UNSUPPORTED"),
        (request(b"/v2/a/blobs/uploads/", b"Content-Length: 99999999", method=b"POST"), 413, "SIZE_INVALID"),
        (request(b"/v2/a/tags/list", b"Range: x", b"Range: y"), 400, "NAME_INVALID"),
    ],
)
def test_what_is_refused_early_is_refused_in_the_spec_s_words(site: Site, data: bytes, status: int, code: str) -> None:
    client = Client(site, secure=False)
    client.send(data)
    (response,) = client.answers()
    assert (response.status, response.fields["Content-Type"]) == (status, "application/json")
    assert json.loads(response.body)["errors"][0]["code"] == code
    assert ("Allow" in response.fields) is (status == 405)
    assert not client.is_open()


def test_refusals_elsewhere_stay_plain(site: Site) -> None:
    client = Client(site, secure=False)
    client.send(request(b"/v2x", b"Content-Length: 3", method=b"PUT"))
    (response,) = client.answers()
    assert response.fields["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("raw", "is_its"),
    [(b"/v2/", True), (b"/v2", True), (b"/v2/a", True), (b"//v2//a", True), (b"/v2x", False), (b"/@a/v2/", False)],
)
def test_the_registry_s_urls(raw: bytes, is_its: bool) -> None:
    target = parse_target(raw)
    assert target is not None
    assert is_registry(target) is is_its


def test_a_target_that_cannot_be_read_may_be_the_registry_s() -> None:
    assert is_registry_url(b"/v2/%zz")
    assert not is_registry_url(b"/yum/v2/%zz")


def test_a_range_outside_of_a_blob_is_refused_in_the_spec_s_words() -> None:
    response = registry_file_response(file_response({b"range": "bytes=99-"}, a_file(10)), (("A", "b"),))
    assert (response.status, response.file) == (416, None)
    fields = dict(response.fields)
    assert (fields["Content-Range"], fields["Content-Type"]) == ("bytes */10", "application/json")
    (body,) = response.pieces
    assert isinstance(body, bytes)
    assert json.loads(body)["errors"][0]["code"] == "RANGE_INVALID"
