"""Answers that http.client does not read by itself: several before the final one, and codings that nobody asked for."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.http.direct_transport import DirectTransport
from bundler.net.http.tls_trust import Trust
from bundler.net.http.transport import RequestsTransport
from tests.fakes.certificates import authority
from tests.fakes.faulty_server import Reply, ServedFile, faulty_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.net.interface import ClosingTransport

pytestmark = pytest.mark.integration
BODY = bytes(range(256)) * 1000


@pytest.fixture(params=["requests", "direct"])
def either(request: pytest.FixtureRequest) -> Iterator[ClosingTransport]:
    with_requests = RequestsTransport(connect_timeout_s=5, idle_timeout_s=5)
    transport: ClosingTransport = with_requests
    if request.param == "direct":
        transport = DirectTransport(lambda: with_requests, Trust(), connect_timeout_s=5, idle_timeout_s=5)
    yield transport
    transport.close()
    with_requests.close()


def get(transport: ClosingTransport, url: str) -> bytes:
    with transport.request("GET", url) as answer:
        assert answer.status == 200
        return b"".join(answer.chunks())


def failure(transport: ClosingTransport, url: str) -> SourceError:
    with pytest.raises(SourceError) as raised:
        get(transport, url)
    return raised.value


@pytest.mark.parametrize("status", [100, 102, 103, 199])
@pytest.mark.parametrize("times", [1, 3])
def test_answers_before_the_final_one_are_passed_over(either: ClosingTransport, status: int, times: int) -> None:
    interim = f"HTTP/1.1 {status} Wait\r\nLink: </x>; rel=preload\r\n\r\n".encode() * times
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nDATA"
    with answering(interim + final) as url:
        assert get(either, url) == b"DATA"
    with answering(interim + final) as url, either.request("PUT", url, body=b"body") as answer:
        assert (answer.status, answer.read(10)) == (200, b"DATA")


def test_answers_before_the_final_one_come_to_an_end(either: ClosingTransport) -> None:
    endless = b"HTTP/1.1 102 Processing\r\n\r\n" * 1001
    with answering(endless, endless) as url:
        assert failure(either, url).id == ErrorId.SOURCE_CUT


def test_a_proxy_may_answer_a_tunnel_in_two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca = authority(tmp_path)
    with faulty_server() as proxy, faulty_server(ca.server_context("dl.invalid")) as far:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url(""))
        proxy.before_tunnel = b"HTTP/1.1 102 Processing\r\n\r\n"
        proxy.tunnels["dl.invalid:443"] = ("127.0.0.1", far.port)
        far.files["/a"] = ServedFile(BODY)
        assert get(RequestsTransport(Trust(str(ca.file))), "https://dl.invalid/a") == BODY


@pytest.mark.parametrize("fields", ["Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked"])
def test_codings_of_transfer_that_nobody_asked_for_are_told(either: ClosingTransport, fields: str) -> None:
    # asked again by requests, which tells what is wrong
    answer = f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n1\r\nx\r\n0\r\n\r\n".encode()
    with answering(answer, answer) as url:
        error = failure(either, url)
    assert (error.id, error.retryable) == (ErrorId.SOURCE_INVALID, False)
    assert "transfer coding" in error.what


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """Answer one connection after the other, whatever is asked, and close each; yields the URL."""

    def serve() -> None:
        with suppress(TimeoutError):
            for answer in answers:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    asked = b""
                    while b"\r\n\r\n" not in asked or (asked.startswith(b"PUT") and not asked.endswith(b"body")):
                        asked += connection.recv(1 << 16)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(2)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a"
        thread.join()


def test_a_document_that_came_compressed_unasked_is_read_plain(either: ClosingTransport) -> None:
    packed = {"gzip": gzip.compress(BODY), "deflate": zlib.compress(BODY), "x-gzip": gzip.compress(BODY)}
    with faulty_server() as server:
        for coding, data in packed.items():
            server.files["/a"] = ServedFile(BODY, faults=[Reply(200, {"Content-Encoding": coding}, data)] * 2)
            with either.request("GET", server.url("/a")) as answer:
                assert answer.read(len(BODY)) == BODY
            with either.request("GET", server.url("/a")) as answer, pytest.raises(SourceError, match="longer than"):
                answer.read(len(BODY) - 1)
