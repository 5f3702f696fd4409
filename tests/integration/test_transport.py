"""The transport against a server on loopback: TLS, proxies, redirects, time-outs, and what goes over the wire."""

from __future__ import annotations

import base64
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.http.direct_transport import DirectTransport
from bundler.net.http.tls_trust import Trust
from bundler.net.http.transport import RequestsTransport
from bundler.net.interface import Credentials
from tests.fakes.certificates import Authority, authority
from tests.fakes.faulty_server import Announce, Chunked, Cut, FaultyServer, Reply, ServedFile, Stall, faulty_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.net.interface import ClosingTransport

pytestmark = pytest.mark.integration
BODY = bytes(range(256)) * 1000
SECRET = Credentials("us\u00e9r", "s3cr\u00e9t")
BASIC = "Basic " + base64.b64encode("us\u00e9r:s3cr\u00e9t".encode()).decode()


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        yield server


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return authority(tmp_path)


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Iterator[RequestsTransport]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    transport = RequestsTransport(connect_timeout_s=5, idle_timeout_s=5, user_agent="bundler/1")
    yield transport
    transport.close()


@pytest.fixture(params=["requests", "direct"])
def either(request: pytest.FixtureRequest, transport: RequestsTransport) -> Iterator[ClosingTransport]:
    """Both in turn: whoever reads what came without requests does not notice."""
    if request.param == "requests":
        yield transport
        return
    direct = DirectTransport(lambda: transport, Trust(), connect_timeout_s=5, idle_timeout_s=5, user_agent="bundler/1")
    yield direct
    direct.close()


def get(transport: ClosingTransport, url: str, **options: object) -> bytes:
    with transport.request("GET", url, **options) as answer:  # type: ignore[arg-type] # passed on by name
        assert answer.status == 200
        return b"".join(answer.chunks())


def failure(transport: ClosingTransport, url: str, **options: object) -> SourceError:
    with pytest.raises(SourceError) as raised:
        get(transport, url, **options)
    assert "s3cr" not in raised.value.text()
    assert raised.value.remedy
    return raised.value


def test_a_body_arrives_as_it_is_on_the_wire(server: FaultyServer, either: ClosingTransport) -> None:
    server.files["/a"] = ServedFile(BODY)
    server.files["/gz"] = ServedFile(BODY, faults=[Reply(200, {"Content-Encoding": "gzip"}, b"not unpacked")])
    assert get(either, server.url("/a")) == BODY
    assert get(either, server.url("/gz")) == b"not unpacked"
    asked = server.requests_for("/a")[0].headers
    assert (asked["accept-encoding"], asked["user-agent"]) == ("identity", "bundler/1")


def test_chunks_without_a_length(server: FaultyServer, either: ClosingTransport) -> None:
    server.files["/a"] = ServedFile(BODY, faults=[Chunked()])
    assert get(either, server.url("/a")) == BODY


def test_every_status_is_an_answer(server: FaultyServer, either: ClosingTransport) -> None:
    with either.request("GET", server.url("/absent")) as answer:
        assert answer.status == 404
    with either.request("HEAD", server.url("/absent")) as answer:
        assert (answer.status, answer.read(10)) == (404, b"")


def test_connections_are_used_again(server: FaultyServer, either: ClosingTransport) -> None:
    server.files["/a"] = ServedFile(BODY, faults=[Reply(401, {}, b"unread body")])
    with either.request("GET", server.url("/a")) as answer:
        assert answer.status == 401
    assert get(either, server.url("/a")) == get(either, server.url("/a")) == BODY
    assert server.connections == 1


def test_a_document_that_is_too_long(server: FaultyServer, either: ClosingTransport) -> None:
    server.files["/a"] = ServedFile(BODY)
    with either.request("GET", server.url("/a")) as answer, pytest.raises(SourceError) as raised:
        answer.read(len(BODY) - 1)
    assert raised.value.id == ErrorId.SOURCE_INVALID
    with either.request("GET", server.url("/a")) as answer:
        assert answer.read(len(BODY)) == BODY


@pytest.mark.parametrize("fault", [Cut(1000), Announce(len(BODY) + 1), Chunked(cut=True), Cut(0)])
def test_a_cut_body_is_an_error_after_what_has_come(
    server: FaultyServer, either: ClosingTransport, fault: Cut | Announce | Chunked
) -> None:
    server.files["/a"] = ServedFile(BODY, faults=[fault])
    held = bytearray()
    with either.request("GET", server.url("/a")) as answer, pytest.raises(SourceError) as raised:  # noqa: PT012 - the error comes in the middle of the stream
        for chunk in answer.chunks():
            held += chunk
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_CUT, True)
    assert bytes(held) == BODY[: fault.after if isinstance(fault, Cut) else None]


@pytest.mark.parametrize("after", [None, 0, 100])
def test_a_silent_server_is_a_time_out(server: FaultyServer, after: int | None) -> None:
    server.files["/a"] = ServedFile(BODY, faults=[Stall(after)])
    error = failure(RequestsTransport(idle_timeout_s=0.2), server.url("/a"))
    assert (error.id, error.retryable) == (ErrorId.SOURCE_TIMEOUT, True)
    assert "0.2 s" in str(error)


def test_nobody_listens(either: ClosingTransport) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        error = failure(either, f"http://us:s3cret@127.0.0.1:{bound.getsockname()[1]}/a?token=s3cret")
    assert (error.id, error.retryable) == (ErrorId.SOURCE_UNREACHABLE, True)
    assert "refused" in str(error)


def test_a_name_that_does_not_exist(either: ClosingTransport) -> None:
    error = failure(either, "http://name.invalid/a")
    assert (error.id, error.retryable) == (ErrorId.SOURCE_UNREACHABLE, True)
    assert "name" in error.what


@pytest.mark.parametrize(
    "url", ["dl.example/a", "http://", "http://[x/", "ftp://127.0.0.1/a", "http://a:port/", "http://" + "a" * 70 + "/"]
)
def test_what_is_no_url(either: ClosingTransport, url: str) -> None:
    error = failure(either, url)
    assert (error.id, error.retryable) == (ErrorId.SOURCE_INVALID, False)


def test_no_http_at_all(transport: ClosingTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/a"

        def talk() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 ftp ready\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        error = failure(transport, url)
        thread.join()
    assert (error.id, error.retryable) == (ErrorId.SOURCE_CUT, True)


def test_credentials_go_to_the_host_that_they_are_for(server: FaultyServer, either: ClosingTransport) -> None:
    with faulty_server() as other:
        server.files["/start"] = ServedFile(b"", faults=[Reply(302, {"Location": "/same"})])
        server.files["/same"] = ServedFile(b"", faults=[Reply(307, {"Location": other.url("/cdn?sig=x")})])
        other.files["/cdn"] = ServedFile(BODY)
        assert get(either, server.url("/start"), credentials=SECRET, headers={"Range": "bytes=0-"}) == BODY
        assert server.requests_for("/start")[0].headers["authorization"] == BASIC
        assert server.requests_for("/same")[0].headers["authorization"] == BASIC
        asked = other.requests_for("/cdn")[0].headers
        assert "authorization" not in asked
        assert asked["range"] == "bytes=0-"


def test_no_credentials_come_from_a_netrc_unasked(
    server: FaultyServer, either: ClosingTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.files["/a"] = ServedFile(BODY)
    get(either, server.url("/a"))
    assert "authorization" not in server.requests_for("/a")[0].headers


def test_cookies_are_not_kept(server: FaultyServer, either: ClosingTransport) -> None:
    server.files["/a"] = ServedFile(BODY, faults=[Reply(302, {"Location": "/a", "Set-Cookie": "sid=1"})])
    assert get(either, server.url("/a")) == BODY
    assert "cookie" not in server.requests_for("/a")[1].headers


def test_a_body_is_sent(server: FaultyServer, either: ClosingTransport) -> None:
    server.files["/token"] = ServedFile(b"", faults=[Reply(200, {}, b"{}")])
    with either.request("POST", server.url("/token"), body=b"grant_type=x") as answer:
        assert answer.read(10) == b"{}"
    assert server.requests_for("/token")[0].headers["content-length"] == "12"


def test_a_redirect_loop_ends(server: FaultyServer, either: ClosingTransport) -> None:
    server.files["/a"] = ServedFile(b"", faults=[Reply(302, {"Location": "/a"})] * 50)
    error = failure(either, server.url("/a"))
    assert (error.id, error.retryable) == (ErrorId.SOURCE_INVALID, False)
    assert len(server.requests_for("/a")) == 11


def test_an_unknown_authority_is_named(ca: Authority, either: ClosingTransport) -> None:
    with faulty_server(ca.server_context("127.0.0.1")) as server:
        error = failure(either, server.url("/a?token=s3cret"))
    assert (error.id, error.retryable) == (ErrorId.SOURCE_TLS, False)
    assert "CN=Site Test Root" in str(error)
    assert "clock" not in str(error)
    assert "--ca-file" in error.remedy


def test_a_ca_file_is_trusted_beside_the_systems(ca: Authority) -> None:
    with faulty_server(ca.server_context("127.0.0.1")) as server:
        server.files["/a"] = ServedFile(BODY)
        transport = RequestsTransport(Trust(str(ca.file)))
        assert get(transport, server.url("/a")) == BODY
        assert get(transport, server.url("/a")) == BODY


def test_only_the_systems_authorities_are_trusted(
    ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    trust = Trust()
    with faulty_server(ca.server_context("127.0.0.1")) as server:
        server.files["/a"] = ServedFile(BODY)
        assert get(RequestsTransport(trust), server.url("/a")) == BODY
    assert trust.verifying().cert_store_stats()["x509_ca"] == 1


def test_another_name_than_asked_for(ca: Authority) -> None:
    with faulty_server(ca.server_context("dl.example")) as server:
        error = failure(RequestsTransport(Trust(str(ca.file))), server.url("/a"))
    assert error.id == ErrorId.SOURCE_TLS
    assert "127.0.0.1" in error.what
    assert "for another name" in error.what
    assert "--ca-file" not in error.remedy
    assert "not trusted" not in error.text()


def test_an_expired_certificate_shows_both_clocks(ca: Authority) -> None:
    begin, end = datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    with faulty_server(ca.server_context("127.0.0.1", begin=begin, end=end)) as server:
        error = failure(RequestsTransport(Trust(str(ca.file))), server.url("/a"))
    assert error.id == ErrorId.SOURCE_TLS
    assert "valid from 2019-01-01 00:00 UTC to 2020-01-01 00:00 UTC" in str(error)
    assert "local clock" in str(error)
    assert "clock" in error.remedy


def test_a_clock_that_is_off_is_named(ca: Authority) -> None:
    wrong = datetime.now(UTC) - timedelta(days=9000)
    with faulty_server(ca.server_context("127.0.0.1")) as server:
        error = failure(RequestsTransport(clock=lambda: wrong), server.url("/a"))
    assert f"the local clock says {wrong:%Y-%m-%d %H:%M} UTC" in str(error)


def test_insecure_hosts_are_not_checked(ca: Authority) -> None:
    with faulty_server(ca.server_context("dl.example")) as server:
        server.files["/a"] = ServedFile(BODY)
        transport = RequestsTransport(Trust(insecure_hosts=frozenset({f"127.0.0.1:{server.port}"})))
        assert get(transport, server.url("/a")) == BODY
        assert failure(transport, server.url("/a", host="localhost")).id == ErrorId.SOURCE_TLS


def test_plain_http_where_tls_was_expected(server: FaultyServer, either: ClosingTransport) -> None:
    error = failure(either, server.url("/a").replace("http:", "https:"))
    assert (error.id, error.retryable) == (ErrorId.SOURCE_TLS, False)


def test_a_handshake_that_is_cut_may_pass_next_time(transport: ClosingTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.recv(10)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(10_000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        error = failure(transport, f"https://127.0.0.1:{listening.getsockname()[1]}/a")
        thread.join()
    assert (error.id, error.retryable) == (ErrorId.SOURCE_CUT, True)


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("empty.pem", "absent.pem"):
        with pytest.raises(SourceError, match=name) as raised:
            Trust(str(tmp_path / name))
        assert raised.value.id == ErrorId.SOURCE_TLS


def test_plain_requests_go_through_the_proxy(
    server: FaultyServer, either: ClosingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url(""))
    monkeypatch.setenv("NO_PROXY", "name.invalid")
    server.files["/a"] = ServedFile(BODY)
    assert get(either, "http://dl.invalid/a") == BODY
    assert server.asked[0].target == "http://dl.invalid/a"
    assert failure(either, "http://name.invalid/a").id == ErrorId.SOURCE_UNREACHABLE
    with faulty_server() as near:
        near.files["/a"] = ServedFile(b"near")
        assert get(either, near.url("/a")) == b"near"


def test_tls_goes_through_the_proxy_and_trusts_the_ca_file(
    server: FaultyServer, transport: ClosingTransport, ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url("").replace("//", "//us:s3cret@"))
    with faulty_server(ca.server_context("dl.invalid")) as far:
        far.files["/a"] = ServedFile(BODY)
        server.tunnels["dl.invalid:443"] = ("127.0.0.1", far.port)
        assert get(RequestsTransport(Trust(str(ca.file))), "https://dl.invalid/a") == BODY
        error = failure(transport, "https://dl.invalid/a")
    assert error.id == ErrorId.SOURCE_TLS
    assert {asked.target for asked in server.asked} == {"dl.invalid:443"}


def test_a_proxy_that_refuses(server: FaultyServer, either: ClosingTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url("").replace("//", "//us:s3cret@"))
    error = failure(either, "https://dl.invalid/a")
    assert (error.id, error.retryable) == (ErrorId.SOURCE_UNREACHABLE, False)
    assert "407" in str(error)
    assert "HTTPS_PROXY" in error.remedy


def test_a_proxy_that_is_not_there(transport: ClosingTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://us:s3cret@127.0.0.1:{bound.getsockname()[1]}")
        error = failure(transport, "http://dl.invalid/a")
    assert (error.id, error.retryable) == (ErrorId.SOURCE_UNREACHABLE, True)
    assert "proxy" in str(error)


@pytest.mark.parametrize("variable", ["all_proxy", "HTTP_PROXY"])
def test_a_proxy_that_speaks_socks_is_named(
    either: ClosingTransport, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "socks5://127.0.0.1:7890")
    error = failure(either, "http://files.invalid/f")
    assert error.id == ErrorId.SOURCE_UNREACHABLE
    assert f"the proxy in {variable}, socks5://127.0.0.1:7890, speaks SOCKS" in error.what
