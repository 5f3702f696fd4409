"""A plain data connection between sockets on loopback: what the client sees of its end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from mirror.ftp.content import TextContent
from mirror.ftp.data_connection import PlainDataConnection, WouldBlock, reset
from tests.unit.mirror.ftp.in_process import socket_pair

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return the server's side, and the client's."""
    server, client = socket_pair()
    with client, server:
        yield server, client


def test_a_finished_connection_shows_that_this_was_all(sockets: tuple[socket.socket, socket.socket]) -> None:
    server, client = sockets
    connection = PlainDataConnection(server)
    connection.handshake()
    assert connection.fileno() == server.fileno()
    assert connection.send(TextContent(iter([b"all of it"])), 100) == 9
    connection.finish()
    assert client.makefile("rb").read() == b"all of it"


def test_an_aborted_connection_shows_that_this_was_not_all(sockets: tuple[socket.socket, socket.socket]) -> None:
    server, client = sockets
    connection = PlainDataConnection(server)
    connection.abort()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    connection.abort()


def test_a_client_that_does_not_read_is_waited_for(sockets: tuple[socket.socket, socket.socket]) -> None:
    server, _ = sockets
    connection = PlainDataConnection(server)
    content = TextContent(iter([bytes(1 << 20)] * 1000))

    def send_all() -> None:
        while content.remaining != 0:
            connection.send(content, 1 << 20)

    with pytest.raises(WouldBlock) as blocked:
        send_all()
    assert blocked.value.direction == "write"


def test_a_connection_that_is_gone_is_reset_without_an_error() -> None:
    closed = socket.socket()
    closed.close()
    reset(closed)
    assert closed.fileno() == -1
