"""The stub in a registry's place: it takes what every client sends, in whatever form, and throws it away."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from scripts.benchmarks.serve_sides import free_port
from scripts.benchmarks.stub_registry import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 30
BLOB = "/v2/a/b/blobs/sha256:1"
DATA = b"x" * 300_000


@pytest.fixture
def client() -> Iterator[http.client.HTTPConnection]:
    port = free_port()
    threading.Thread(target=serve, args=(port, 70_000), daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    while connection.sock is None:
        try:
            connection.connect()
        except ConnectionRefusedError:
            continue
    yield connection
    connection.close()


def status(client: http.client.HTTPConnection, method: str, target: str, body: object = None) -> int:
    client.request(method, target, body=body, encode_chunked=not isinstance(body, bytes))  # type: ignore[arg-type] # any
    answer = client.getresponse()
    answer.read()
    return answer.status


def test_a_blob_is_there_once_it_was_sent_and_until_it_is_forgotten(client: http.client.HTTPConnection) -> None:
    assert status(client, "HEAD", BLOB) == 404
    assert status(client, "POST", "/v2/a/b/blobs/uploads/", b"") == 202
    assert status(client, "PATCH", "/v2/a/b/blobs/uploads/1", iter([DATA, DATA])) == 202
    assert status(client, "PUT", "/v2/a/b/blobs/uploads/1?digest=sha256%3A1", DATA) == 201
    assert status(client, "HEAD", BLOB) == 200
    assert status(client, "DELETE", "/") == 202
    assert status(client, "HEAD", BLOB) == 404


def test_a_manifest_is_known_by_its_digest(client: http.client.HTTPConnection) -> None:
    assert status(client, "PUT", "/v2/a/b/manifests/1", b"{}") == 201
    client.request("HEAD", "/v2/a/b/manifests/1")
    answer = client.getresponse()
    answer.read()
    digest = answer.headers["Docker-Content-Digest"]
    assert digest.startswith("sha256:44136fa355b3678a")
    assert status(client, "HEAD", f"/v2/a/b/manifests/{digest}") == 200


def test_blobs_that_are_fetched_are_zeros(client: http.client.HTTPConnection) -> None:
    client.request("GET", BLOB)
    assert client.getresponse().read() == bytes(70_000)


def test_who_speaks_tls_is_sent_away(client: http.client.HTTPConnection) -> None:
    with socket.create_connection((client.host, client.port), timeout=WITHIN_S) as other:
        other.sendall(b"\x16\x03\x01")
        assert other.recv(1) == b""
