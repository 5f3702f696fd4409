"""Data connections, passive and active, between sockets on loopback."""

from __future__ import annotations

import os
import select
import socket
from contextlib import closing, suppress

import pytest

from mirror.ftp.data_port import (
    ActivePort,
    DataPort,
    NoFreePortError,
    PassivePort,
    RefusedTargetError,
    ScopedAddress,
    scoped_address,
)

LOOPBACK = ScopedAddress("127.0.0.1", 0)
RANGE = (21100, 21299)


@pytest.mark.parametrize(
    ("name", "address", "family"),
    [
        (("192.0.2.1", 21), ScopedAddress("192.0.2.1", 0), socket.AF_INET),
        (("::ffff:192.0.2.1", 21, 0, 0), ScopedAddress("192.0.2.1", 0), socket.AF_INET),
        (("2001:db8::1", 21, 0, 0), ScopedAddress("2001:db8::1", 0), socket.AF_INET6),
        (("fe80::1%eth0", 21, 0, 2), ScopedAddress("fe80::1", 2), socket.AF_INET6),
    ],
)
def test_an_end_has_an_address_of_one_family(
    name: tuple[str, int], address: ScopedAddress, family: socket.AddressFamily
) -> None:
    assert scoped_address(name) == address
    assert address.family == family


def test_a_link_local_address_keeps_its_interface() -> None:
    assert ScopedAddress("fe80::1", 2).socket_address(2000) == ("fe80::1", 2000, 0, 2)
    assert LOOPBACK.socket_address(2000) == ("127.0.0.1", 2000)


def established(port: DataPort) -> socket.socket:
    """Return the data connection, after waiting for it."""
    connection = port.establish()
    if connection is None:
        waiting = ([port.fileno()], []) if port.awaits == "read" else ([], [port.fileno()])
        assert any(select.select(*waiting, [], 30))
        connection = port.establish()
    assert connection is not None
    assert not connection.getblocking()
    return connection


def test_the_client_connects_to_a_passive_port() -> None:
    port = PassivePort(LOOPBACK, LOOPBACK, RANGE)
    assert port.establish() is None
    with (
        closing(port),
        socket.create_connection(("127.0.0.1", port.number), timeout=30) as client,
        established(port) as connection,
    ):
        assert connection.getpeername() == client.getsockname()


def test_others_connections_are_reset() -> None:
    port = PassivePort(LOOPBACK, LOOPBACK, RANGE)
    with (
        closing(port),
        socket.create_connection(("127.0.0.1", port.number), 30, source_address=("127.0.0.2", 0)) as stranger,
        socket.create_connection(("127.0.0.1", port.number), 30) as client,
        established(port) as connection,
    ):
        assert connection.getpeername() == client.getsockname()
        with pytest.raises(ConnectionResetError):
            stranger.recv(1)


def test_every_port_of_the_range_is_found_and_no_other() -> None:
    # an address of this process's own: nobody else has ports there
    own = ScopedAddress(f"127.78.{os.getpid() >> 8 & 255}.{os.getpid() & 255}", 0)
    ports = [PassivePort(own, LOOPBACK, (21400, 21402)) for _ in range(3)]
    try:
        assert sorted(port.number for port in ports) == [21400, 21401, 21402]
        with pytest.raises(NoFreePortError):
            PassivePort(own, LOOPBACK, (21400, 21402))
    finally:
        for port in ports:
            port.close()


def test_an_address_that_is_not_here_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="assign"):
        PassivePort(ScopedAddress("192.0.2.1", 0), LOOPBACK, RANGE)


def test_an_active_port_connects_to_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = ActivePort(LOOPBACK, LOOPBACK, "127.0.0.1", listener.getsockname()[1])
        assert port.fileno() == -1
        with closing(port), established(port) as connection:
            client, _ = listener.accept()
            with client:
                assert connection.getsockname() == client.getpeername()


def test_an_active_port_where_nobody_listens_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
    port = ActivePort(LOOPBACK, LOOPBACK, "127.0.0.1", number)
    with closing(port), pytest.raises(ConnectionRefusedError):
        established(port)
    assert port.fileno() == -1


@pytest.mark.parametrize("address", ["198.51.100.7", "127.0.0.2", "localhost", "127.1", "::1", ""])
def test_no_other_host_is_connected_to(address: str) -> None:
    with pytest.raises(RefusedTargetError, match="your own address"):
        ActivePort(LOOPBACK, LOOPBACK, address, 40000)


@pytest.mark.parametrize("number", [0, 25, 1023, 65536])
def test_no_privileged_port_is_connected_to(number: int) -> None:
    with pytest.raises(RefusedTargetError, match="1024"):
        ActivePort(LOOPBACK, LOOPBACK, "127.0.0.1", number)


@pytest.mark.parametrize("written", ["::1", "0:0:0:0:0:0:0:1"])
def test_an_ipv6_address_may_be_written_in_any_way(written: str) -> None:
    own = ScopedAddress("::1", 0)
    port = ActivePort(own, own, written, 40000)
    with suppress(OSError):
        # a host may have no IPv6; that nothing is refused is what counts
        port.establish()
    port.close()
    port.close()
    assert port.fileno() == -1
