"""What is read without requests, and what is handed on to it: counted at a server on loopback."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.http.direct_transport import DirectTransport
from bundler.net.http.tls_trust import Trust
from bundler.net.interface import Credentials
from tests.fakes.certificates import authority
from tests.fakes.faulty_server import Announce, Chunked, Cut, FaultyServer, Reply, ServedFile, Stall, faulty_server
from tests.fakes.transport import FakeTransport
from tests.fakes.transport import Reply as FakeReply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.fakes.transport import Asked

pytestmark = pytest.mark.integration
MAX_BYTES = 1024 * 1024
SMALL = b'{"harbor_version": "v2"}'
BY_REQUESTS = b"by requests"


class Rest(FakeTransport):
    """What requests would be asked for: it answers everything."""

    def __init__(self) -> None:
        super().__init__(self._always)
        self.closed = 0

    def _always(self, _: Asked) -> FakeReply:
        return FakeReply(body=BY_REQUESTS)

    def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        server.files["/a"] = ServedFile(SMALL)
        yield server


@pytest.fixture
def rest() -> Rest:
    return Rest()


@contextmanager
def reading(
    rest: Rest, trust: Trust | None = None, environment: Mapping[str, str] | None = None, idle_timeout_s: float = 5
) -> Iterator[DirectTransport]:
    transport = DirectTransport(lambda: rest, trust or Trust(), environment or {}, idle_timeout_s=idle_timeout_s)
    try:
        yield transport
    finally:
        transport.close()


def get(transport: DirectTransport, url: str, method: str = "GET", **options: object) -> bytes:
    with transport.request(method, url, **options) as response:  # type: ignore[arg-type] # passed on by name
        return response.read(MAX_BYTES)


def test_small_answers_come_over_one_connection_and_load_nothing_else(server: FaultyServer, rest: Rest) -> None:
    def load() -> Rest:
        raise AssertionError("nothing else is needed")

    transport = DirectTransport(load, Trust(), {})
    for _ in range(5):
        assert get(transport, server.url("/a")) == SMALL
        assert get(transport, server.url("/a"), "HEAD") == b""
        assert get(transport, server.url("/absent")) != SMALL
    transport.close()
    assert server.connections == 1
    assert rest.closed == 0


def test_the_rest_is_closed_where_it_was_used(server: FaultyServer, rest: Rest) -> None:
    with reading(rest) as transport:
        assert get(transport, server.url("/a"), "DELETE") == BY_REQUESTS
    assert rest.closed == 1
    assert server.connections == 0


class Pieces:
    """A body of pieces, which counts how often it was begun, and may fail."""

    def __init__(self, *pieces: bytes, fails: Exception | None = None) -> None:
        self.pieces, self.fails, self.begun = pieces, fails, 0

    def __len__(self) -> int:
        return sum(map(len, self.pieces)) + (1 if self.fails else 0)

    def __iter__(self) -> Iterator[bytes]:
        self.begun += 1
        yield from self.pieces
        if self.fails:
            raise self.fails


@contextmanager
def talking_to(*answers: bytes, reads: int = 1 << 20) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection after the other: take some bytes, answer, close; yields the URL and what came on each."""
    came: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                # the end goes out together with the answer
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                came.append(connection.recv(reads))
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while answer and connection.recv(1 << 20):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/a", came
        thread.join()


def test_bodies_are_sent_over_the_same_connection_once_each_with_their_length(server: FaultyServer, rest: Rest) -> None:
    body = Pieces(b"one", b"", b"two")
    with reading(rest) as transport:
        assert get(transport, server.url("/a"), "POST", body=b"") == SMALL
        assert get(transport, server.url("/a"), "POST", body=body) == SMALL
    assert [asked.headers["content-length"] for asked in server.requests_for("/a")] == ["0", "6"]
    assert (body.begun, server.connections, rest.asked) == (1, 1, [])


def test_a_body_that_is_cut_is_not_sent_again(rest: Rest) -> None:
    body = Pieces(b"all of it")
    with reading(rest) as transport, talking_to(b"") as (url, _), pytest.raises(SourceError) as raised:
        get(transport, url, "PUT", body=body)
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_CUT, True)
    assert (body.begun, rest.asked) == (1, [])


def test_a_body_that_is_answered_with_two_lengths_is_not_sent_again(rest: Rest) -> None:
    body = Pieces(b"all of it")
    answer = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n"
    with reading(rest) as transport, talking_to(answer) as (url, _), pytest.raises(SourceError) as raised:
        get(transport, url, "PUT", body=body)
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_INVALID, False)
    assert (body.begun, rest.asked) == (1, [])


def test_a_refusal_that_comes_before_the_whole_body_is_read(rest: Rest) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    body = Pieces(*[bytes(MAX_BYTES)] * 8)
    with (
        reading(rest) as transport,
        talking_to(refusal, reads=1) as (url, _),
        transport.request("PUT", url, body=body) as response,
    ):
        assert (response.status, response.read(MAX_BYTES)) == (413, b"no")


def test_a_body_that_cannot_be_read_fails_as_it_does_and_its_connection_is_not_used_again(
    server: FaultyServer, rest: Rest
) -> None:
    with reading(rest) as transport:
        assert get(transport, server.url("/a")) == SMALL
        with pytest.raises(ZeroDivisionError):
            get(transport, server.url("/a"), "POST", body=Pieces(b"one", fails=ZeroDivisionError()))
        assert get(transport, server.url("/a")) == SMALL
    assert server.connections == 2


def test_a_connection_that_the_server_has_ended_takes_no_body(rest: Rest) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with talking_to(answer, answer) as (url, came), reading(rest) as transport:
        assert get(transport, url) == b"ok"
        assert get(transport, url, "PUT", body=Pieces(b"body")) == b"ok"
    assert len(came) == 2
    assert rest.asked == []


def test_fields_and_credentials_are_those_that_requests_sends(server: FaultyServer, rest: Rest) -> None:
    with reading(rest) as transport:
        get(transport, server.url("/a"), credentials=Credentials("us\u00e9r", "s"), headers={"Accept": "x/y"})
    (asked,) = server.requests_for("/a")
    assert asked.headers["authorization"] == "Basic dXPDqXI6cw=="
    assert (asked.headers["accept"], asked.headers["accept-encoding"]) == ("x/y", "identity")
    assert asked.headers["user-agent"] == "bundler"


def test_repeated_fields_are_joined(rest: Rest) -> None:
    with faulty_server() as server, reading(rest) as transport:
        challenge = {"WWW-Authenticate": "Bearer realm=x", "www-authenticate": "Basic realm=y"}
        server.files["/a"] = ServedFile(SMALL, faults=[Reply(401, challenge, b"")])
        with transport.request("GET", server.url("/a")) as response:
            assert response.headers.get("WWW-AUTHENTICATE") == "Bearer realm=x, Basic realm=y"


@pytest.mark.parametrize("fault", [Cut(3), Announce(len(SMALL) + 1), Chunked(cut=True)])
def test_a_body_that_is_cut_is_an_error_and_its_connection_is_closed(
    server: FaultyServer, rest: Rest, fault: Cut | Announce | Chunked
) -> None:
    server.files["/a"] = ServedFile(SMALL, faults=[fault])
    with reading(rest) as transport:
        with pytest.raises(SourceError) as raised:
            get(transport, server.url("/a"))
        assert get(transport, server.url("/a")) == SMALL
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_CUT, True)
    assert server.connections == 2
    assert rest.asked == []


def test_where_no_answer_can_be_read_requests_asks_from_then_on(server: FaultyServer, rest: Rest) -> None:
    server.files["/a"] = ServedFile(SMALL, faults=[Reply(200, {"Content-Length": "1"}, b"two lengths")])
    with reading(rest) as transport:
        assert [get(transport, server.url("/a")) for _ in range(3)] == [BY_REQUESTS] * 3
    assert len(server.requests_for("/a")) == 1


def test_a_redirect_is_followed_without_the_credentials(server: FaultyServer, rest: Rest) -> None:
    with faulty_server() as other, reading(rest) as transport:
        other.files["/cdn"] = ServedFile(bytes(MAX_BYTES))
        server.files["/a"] = ServedFile(SMALL, faults=[Reply(307, {"Location": other.url("/cdn")}, b"there")] * 2)
        for _ in range(2):
            assert get(transport, server.url("/a"), headers={"Authorization": "Bearer s3cret"}) == bytes(MAX_BYTES)
        assert "authorization" not in other.requests_for("/cdn")[0].headers
        assert (server.connections, other.connections) == (1, 1)
    assert rest.asked == []


def test_a_redirect_to_what_is_no_plain_url_is_for_requests(server: FaultyServer, rest: Rest) -> None:
    with reading(rest) as transport:
        server.files["/a"] = ServedFile(SMALL, faults=[Reply(302, {"Location": "http://h\u00f6st/b"}, b"")])
        assert get(transport, server.url("/a")) == BY_REQUESTS
    assert [asked.method for asked in rest.asked] == ["GET"]


def test_what_is_left_of_a_long_body_is_not_read(server: FaultyServer, rest: Rest) -> None:
    server.files["/long"] = ServedFile(bytes(4 * MAX_BYTES))
    with reading(rest) as transport:
        with transport.request("GET", server.url("/long")) as response:
            assert response.status == 200
        assert get(transport, server.url("/a")) == SMALL
    assert server.connections == 2


def test_a_silent_server_is_not_asked_twice(server: FaultyServer, rest: Rest) -> None:
    server.files["/a"] = ServedFile(SMALL, faults=[Stall(None)])
    with reading(rest, idle_timeout_s=0.2) as transport, pytest.raises(SourceError) as raised:
        get(transport, server.url("/a"))
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_TIMEOUT, True)
    assert rest.asked == []


@pytest.mark.parametrize("name", ["https_proxy", "HTTP_PROXY", "All_Proxy"])
def test_whatever_may_go_through_a_proxy_goes_through_requests(server: FaultyServer, rest: Rest, name: str) -> None:
    with reading(rest, environment={name: "http://proxy.example:3128"}) as transport:
        assert get(transport, "http://registry.example/v2/") == BY_REQUESTS
        # nobody has a proxy for this very machine
        assert get(transport, server.url("/a")) == SMALL


@pytest.mark.parametrize("url", ["http://us:s3cret@host/a", "http://h\u00f6st/a", "http://host/a b", "http://host:x/a"])
def test_unusual_urls_are_for_requests(rest: Rest, url: str) -> None:
    with reading(rest) as transport:
        assert get(transport, url) == BY_REQUESTS


def test_certificates_are_verified(tmp_path: Path, rest: Rest) -> None:
    ca = authority(tmp_path)
    with faulty_server(ca.server_context("127.0.0.1")) as server:
        server.files["/a"] = ServedFile(SMALL)
        with reading(rest, Trust(str(ca.file))) as transport:
            assert get(transport, server.url("/a")) == SMALL
        with reading(rest, Trust(insecure_hosts=frozenset({f"127.0.0.1:{server.port}"}))) as transport:
            assert get(transport, server.url("/a")) == SMALL
        assert rest.asked == []
        with reading(rest) as transport:
            assert get(transport, server.url("/a")) == BY_REQUESTS
    assert len(server.requests_for("/a")) == 2
