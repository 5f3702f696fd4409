"""Sockets: one for each worker on one port, and plain words when that cannot be."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.settings import ListenAddress
from mirror.supervisor.binding import bind_all
from mirror.supervisor.port_holder import port_holder
from tests.unit.mirror.in_a_child import NOBODY, in_a_child

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"


@contextmanager
def bound(endpoint: ListenAddress, workers: int) -> Iterator[list[socket.socket]]:
    listeners = bind_all("http", endpoint, workers)
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.close()


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


def refusal(protocol: str, endpoint: ListenAddress, workers: int = 2) -> ServeError:
    with pytest.raises(ServeError) as caught:
        bind_all(protocol, endpoint, workers)
    return caught.value


def my_name() -> str:
    return f"{Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()})"


def test_all_workers_share_one_port() -> None:
    with bound(ListenAddress(LOOPBACK, 0), 3) as listeners:
        assert len({listener.getsockname() for listener in listeners}) == 1
        assert all(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for listener in listeners)
        assert all(not listener.getblocking() for listener in listeners)
        assert all(not listener.get_inheritable() for listener in listeners)


def test_without_a_host_both_families_are_answered() -> None:
    with bound(ListenAddress("", 0), 1) as (listener,):
        port = listener.getsockname()[1]
        socket.create_connection((LOOPBACK, port)).close()
        if listener.family == socket.AF_INET6:
            socket.create_connection(("::1", port)).close()


def test_an_ipv6_address_answers_ipv6_only() -> None:
    try:
        with bound(ListenAddress("::1", 0), 2) as listeners:
            port = listeners[0].getsockname()[1]
            socket.create_connection(("::1", port)).close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((LOOPBACK, port))
    except ServeError as error:
        assert error.id is ErrorId.SERVE_ADDRESS_UNUSABLE  # noqa: PT017 - a host without IPv6


def test_a_port_that_is_taken_names_who_has_it_and_the_flag() -> None:
    with taken_port() as port:
        error = refusal("ftp", ListenAddress(LOOPBACK, port))
    assert error.id is ErrorId.SERVE_PORT_TAKEN
    assert my_name() in error.text()
    assert f"{LOOPBACK}:{port}" in error.text()
    assert "--ftp HOST:PORT" in error.text()


def test_another_mirror_shares_its_port_with_nobody() -> None:
    with bound(ListenAddress(LOOPBACK, 0), 2) as listeners:
        assert refusal("http", ListenAddress(LOOPBACK, listeners[0].getsockname()[1])).id is ErrorId.SERVE_PORT_TAKEN


def test_a_port_is_free_again_at_once() -> None:
    with bound(ListenAddress(LOOPBACK, 0), 2) as listeners:
        port = listeners[0].getsockname()[1]
        # a connection that this side closes first leaves its port in TIME_WAIT
        client = socket.create_connection((LOOPBACK, port))
        for listener in listeners:
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                continue
        client.close()
    with bound(ListenAddress(LOOPBACK, port), 2):
        pass


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid", "256.1.1.1"])
def test_an_address_of_somebody_else_is_unusable(host: str) -> None:
    error = refusal("http", ListenAddress(host, 8088))
    assert error.id is ErrorId.SERVE_ADDRESS_UNUSABLE
    assert "--http" in error.text()


def refused_to_nobody(endpoint: ListenAddress) -> str:
    """Return what a process without rights is told."""
    return in_a_child(
        lambda: refusal("http", endpoint, 1).text(),
        before=lambda: os.setresuid(NOBODY, NOBODY, NOBODY) if os.geteuid() == 0 else None,
    )


def test_a_port_that_needs_root_says_so() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    said = refused_to_nobody(ListenAddress(LOOPBACK, first - 1 if first > 1 else 1))
    # in some containers everybody may listen anywhere
    if first > 1:
        assert "[serve-port-denied]" in said
        assert "need root" in said


def test_the_holder_of_a_port() -> None:
    with taken_port() as port:
        assert port_holder(port) == my_name()
    assert port_holder(port) == ""


def test_who_only_uses_a_port_does_not_hold_it() -> None:
    with taken_port() as port, socket.create_connection((LOOPBACK, port)) as client:
        assert port_holder(client.getsockname()[1]) == ""
