"""What a client on this host, or the way to it, still holds of what it was sent."""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from mirror.worker.untaken import Ends, SocketDiagnosis, Taking, socket_diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterator

SENT = bytes(50_000)
HOSTS = {"IPv4": ("127.0.0.1", "127.0.0.1"), "IPv6": ("::1", "::1"), "IPv4 at a socket for both": ("::", "127.0.0.1")}


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def pair(held: ExitStack, listens: str = "127.0.0.1", asks: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in listens else socket.AF_INET
    listener = held.enter_context(socket.create_server((listens, 0), family=family, dualstack_ipv6=listens == "::"))
    client = held.enter_context(socket.create_connection((asks, listener.getsockname()[1])))
    server = held.enter_context(listener.accept()[0])
    return server, client


@pytest.mark.parametrize(("listens", "asks"), HOSTS.values(), ids=HOSTS)
def test_bytes_are_taken_when_the_program_has_read_them(held: ExitStack, listens: str, asks: str) -> None:
    server, client = pair(held, listens, asks)
    taking = Taking(server)
    assert taking.is_known()
    assert taking.pause_s(0) == 0.0
    server.sendall(SENT)
    assert taking.pause_s(len(SENT) - 1) > 0
    assert taking.pause_s(len(SENT) - 1) > 0
    assert client.recv(1000, socket.MSG_WAITALL) == SENT[:1000]
    # what is acknowledged late is counted twice for a while
    while taking.pause_s(len(SENT) - 1000) > 0:
        pass
    assert taking.pause_s(len(SENT) - 1001) > 0
    client.recv(len(SENT) - 1000, socket.MSG_WAITALL)
    while taking.pause_s(0) > 0:
        pass


def test_questions_become_rarer_and_see_that_it_reads(held: ExitStack) -> None:
    server, client = pair(held)
    server.sendall(SENT)
    taking = Taking(server)
    pauses_s = [taking.pause_s(0) for _ in range(12)]
    assert pauses_s == sorted(pauses_s)
    assert pauses_s[-1] == pauses_s[-2] < 1
    assert not taking.progressed
    client.recv(1000, socket.MSG_WAITALL)
    assert taking.pause_s(0) > 0
    assert taking.progressed


def test_a_listener_on_the_clients_port_is_not_the_client(held: ExitStack) -> None:
    server, _ = pair(held)
    listener = held.enter_context(socket.create_server(("", 0)))
    waiting = [held.enter_context(socket.create_connection(listener.getsockname())) for _ in range(3)]
    assert waiting
    diagnosis = socket_diagnosis()
    assert diagnosis is not None
    assert diagnosis.unread_bytes(Ends(server.getsockname(), ("192.0.2.1", listener.getsockname()[1]))) is None


def test_without_answers_a_client_on_this_host_is_not_known(held: ExitStack) -> None:
    server, client = pair(held)
    taking = Taking(server, lambda: None)
    assert not taking.is_known()
    server.sendall(SENT)
    while taking.pause_s(0) > 0:
        pass
    assert client.recv(len(SENT), socket.MSG_WAITALL) == SENT


def test_a_client_on_this_host_that_the_kernel_does_not_find_is_not_known(held: ExitStack) -> None:
    # so a kernel answers without the module for TCP, and of an address that was translated on the way
    asking, kernel = map(held.enter_context, socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    kernel.send(struct.pack("=IHHIIi16x", 36, 2, 0, 0, 0, -errno.ENOENT))
    server, _ = pair(held)
    assert not Taking(server, lambda: SocketDiagnosis(asking)).is_known()


def test_what_is_no_tcp_has_no_ends() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert Ends.of(one) is None
        assert Taking(one, lambda: None).is_known()
        assert Taking(one).pause_s(0) == 0.0


def test_a_connection_that_is_gone_is_an_error_of_the_system(held: ExitStack) -> None:
    server, _ = pair(held)
    server.close()
    with pytest.raises(OSError, match="descriptor"):
        Taking(server).pause_s(0)
