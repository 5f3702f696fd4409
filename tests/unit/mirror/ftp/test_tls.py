"""Explicit TLS on real sockets: the certificate, the control connection, and protected data connections."""

from __future__ import annotations

import errno
import random
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.ftp.content import TextContent
from mirror.ftp.data_connection import WouldBlock
from mirror.ftp.tls import SecureSession, TlsDataConnection, tls_context
from mirror.worker.control import Material
from tests.fakes.certificates import authority
from tests.fakes.ftp_control import FakeOwner
from tests.unit.mirror.bundle_tree import opened, site_of, write_bundle
from tests.unit.mirror.ftp.in_process import Client, connected, run_until, socket_pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from OpenSSL import SSL

    from mirror.ftp.session import Session
    from tests.fakes.certificates import Authority

BIG = random.Random(4).randbytes(3_000_001)
CONTENTS = {"big.bin": BIG, "text": b"text"}


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def material(trusted: Authority) -> Material:
    pem = trusted.server_file("127.0.0.1").read_bytes()
    return Material(certificate=pem, key=pem)


@pytest.fixture(scope="module")
def context(material: Material) -> SSL.Context:
    return tls_context(material, "mirror.pem")


@pytest.fixture
def own(trusted: Authority) -> ssl.SSLContext:
    """Return the client's context."""
    return ssl.create_default_context(cafile=str(trusted.file))


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[FakeOwner]:
    with opened(write_bundle(tmp_path / "root", CONTENTS)) as root:
        yield FakeOwner(site_of(root))


@pytest.fixture
def ends(owner: FakeOwner, context: SSL.Context) -> Iterator[tuple[Client, Session]]:
    """Return a client that has not sent AUTH yet, and its session."""
    with connected(owner, partial(SecureSession, context=context)) as ends:
        yield ends


def protect(client: Client, own: ssl.SSLContext) -> None:
    """Log in over TLS, with protected data connections."""
    assert client.ask("AUTH TLS") == "234 Begin."
    client.start_tls(own)
    for line in ("PBSZ 0", "PROT P", "USER ftp", "PASS x", "TYPE I"):
        assert client.ask(line)[0] in "23"


def test_what_is_no_certificate_is_refused(material: Material, trusted: Authority) -> None:
    other = trusted.server_file("127.0.0.2").read_bytes()
    for wrong in (
        Material(),
        Material(certificate=b"no certificate", key=material.key),
        Material(certificate=material.certificate, key=b"no key"),
        Material(certificate=material.certificate, key=other),
    ):
        with pytest.raises(ServeError) as refused:
            tls_context(wrong, "mirror.pem")
        assert refused.value.id == ErrorId.SERVE_TLS_INVALID
        assert "mirror.pem" in refused.value.text()


def test_a_chain_is_sent_whole(material: Material, trusted: Authority) -> None:
    whole = Material(certificate=(material.certificate or b"") + trusted.file.read_bytes(), key=material.key)
    assert tls_context(whole, "mirror.pem") is not None


def test_everything_stays_as_it_is_without_auth(ends: tuple[Client, Session]) -> None:
    client, session = ends
    assert repr(session) == "<Session of 127.0.0.1>"
    assert all(f" {feature}\r\n" in client.ask("FEAT") for feature in ("AUTH TLS", "PBSZ", "PROT"))
    client.ask("USER ftp")
    assert client.ask("PASS x").startswith("230")
    assert client.ask("PROT P").startswith("503")
    data = client.data()
    client.send(b"RETR text\r\n")
    assert data.rest() == b"text"
    assert client.codes(2) == [150, 226]


def test_a_protected_session_serves_over_protected_data_connections(
    ends: tuple[Client, Session], owner: FakeOwner, own: ssl.SSLContext
) -> None:
    client, _ = ends
    protect(client, own)
    for path, content in CONTENTS.items():
        data = client.data()
        assert client.ask(f"RETR {path}").startswith("150")
        data.start_tls(own)
        assert data.rest() == content
        assert client.reply().startswith("226")
    assert {logged.protocol for logged in owner.transfers} == {"ftps"}
    assert client.ask("PROT C").startswith("200")
    data = client.data()
    client.send(b"LIST text\r\n")
    assert data.rest().endswith(b" text\r\n")
    assert client.codes(2) == [150, 226]
    assert client.ask("QUIT").startswith("221")
    # the end is one of TLS as well, or reading would fail
    assert client.rest() == b""


def test_auth_forgets_who_has_logged_in(ends: tuple[Client, Session], own: ssl.SSLContext) -> None:
    client, _ = ends
    client.ask("USER ftp")
    client.ask("PASS x")
    assert client.ask("AUTH TLS") == "234 Begin."
    client.start_tls(own)
    assert client.ask("PWD").startswith("530")
    assert client.ask("AUTH TLS").startswith("503")


def test_what_comes_in_clear_behind_auth_is_not_obeyed(ends: tuple[Client, Session]) -> None:
    client, session = ends
    client.send(b"AUTH TLS\r\nUSER ftp\r\nPASS x\r\n")
    assert client.rest() == b"503 Nothing may follow AUTH before the handshake.\r\n"
    assert session.ended


@pytest.mark.parametrize("rubbish", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 500, b"\0" * 50])
def test_rubbish_instead_of_a_handshake_ends_the_session(
    ends: tuple[Client, Session], owner: FakeOwner, rubbish: bytes
) -> None:
    client, session = ends
    assert client.ask("AUTH TLS") == "234 Begin."
    client.send(rubbish)
    client.connection.shutdown(socket.SHUT_WR)
    run_until(session.ioloop, lambda: session.ended)
    assert owner.ended_sessions == [session]


def test_rubbish_inside_of_tls_ends_the_session(
    ends: tuple[Client, Session], owner: FakeOwner, own: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    client, session = ends
    protect(client, own)
    under = socket.socket(fileno=client.connection.detach())
    client.connection = under
    client.send(b"\x17\x03\x03\x00\x40" + b"x" * 64)
    run_until(session.ioloop, lambda: session.ended)
    assert owner.ended_sessions == [session]
    # what a client sends is no bug of ours
    assert caplog.records == []


def test_rubbish_on_a_protected_data_connection_ends_the_transfer_only(
    ends: tuple[Client, Session], own: ssl.SSLContext
) -> None:
    client, _ = ends
    protect(client, own)
    data = client.data()
    data.send(b"no handshake at all, whatever it may look like\r\n")
    assert client.ask("RETR text").startswith("150")
    assert client.reply() == "426 Transfer cut: TLS failed on the data connection."
    assert client.ask("NOOP").startswith("200")


def test_whoever_is_gone_when_auth_is_answered_is_closed(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    _, session = ends
    # replies that the client does not fetch: the one to AUTH could not be sent before the handshake
    session.push("x" * 20_000_000)
    session.start_tls()
    assert owner.ended_sessions == [session]


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return the server's side, and the client's."""
    server, client = socket_pair()
    with client, server:
        yield server, client


def test_a_handshake_is_waited_for(sockets: tuple[socket.socket, socket.socket], context: SSL.Context) -> None:
    server, _ = sockets
    connection = TlsDataConnection(server, context)
    assert connection.fileno() == server.fileno()
    with pytest.raises(WouldBlock) as blocked:
        connection.handshake()
    assert blocked.value.direction == "read"
    connection.abort()
    assert server.fileno() == -1


def test_a_client_that_leaves_the_handshake_is_gone(
    sockets: tuple[socket.socket, socket.socket], context: SSL.Context
) -> None:
    server, client = sockets
    client.shutdown(socket.SHUT_WR)
    connection = TlsDataConnection(server, context)
    with pytest.raises(OSError, match="EOF") as gone:
        connection.handshake()
    assert gone.value.errno == errno.ECONNRESET


def test_a_client_that_does_not_read_is_waited_for_with_the_same_record(
    sockets: tuple[socket.socket, socket.socket], context: SSL.Context, own: ssl.SSLContext
) -> None:
    server, client = sockets
    connection = TlsDataConnection(server, context)
    client.setblocking(False)
    secure = own.wrap_socket(client, do_handshake_on_connect=False, server_hostname="127.0.0.1")
    _shake_hands(connection, secure)
    whole = BIG * 8
    content = TextContent(iter([BIG[at : at + 65_536] for at in range(0, len(BIG), 65_536)] * 8))

    def send() -> None:
        while content.remaining != 0:
            connection.send(content, 1 << 20)

    received = bytearray()
    with pytest.raises(WouldBlock) as blocked:
        send()
    assert blocked.value.direction == "write"
    while content.remaining != 0:
        try:
            send()
        except WouldBlock:
            received += _received(secure)
    connection.finish()
    while len(received) < len(whole):
        received += _received(secure)
    assert received == whole
    assert server.fileno() == -1


def _shake_hands(connection: TlsDataConnection, secure: ssl.SSLSocket) -> None:
    """Let both sides take their turns until both are done."""
    steps = [connection.handshake, secure.do_handshake]
    while steps:
        for step in list(steps):
            try:
                step()
            except (WouldBlock, ssl.SSLWantReadError):
                continue
            steps.remove(step)


def _received(secure: ssl.SSLSocket) -> bytes:
    """Return what can be read without waiting."""
    received = bytearray()
    try:
        while data := secure.recv(1 << 16):
            received += data
    except ssl.SSLWantReadError:
        pass
    return bytes(received)
