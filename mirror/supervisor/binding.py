"""Sockets: one for each worker of each protocol, sharing their port (SO_REUSEPORT, socket(7)).

No other port than the one asked for is ever taken.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ServeError
from bundler.translation import tr
from mirror.supervisor.port_holder import port_holder

if TYPE_CHECKING:
    from mirror.settings import ListenAddress

BACKLOG = 4096


def bind_all(protocol: str, endpoint: ListenAddress, workers: int) -> list[socket.socket]:
    """Return a listening socket for each worker.

    Arguments:
        protocol: `http`, `ftp` or `registry`, the name of its flag.

    Raises ServeError: SERVE_PORT_TAKEN naming who has it, SERVE_PORT_DENIED, SERVE_ADDRESS_UNUSABLE.
    """
    family, address = _resolve(protocol, endpoint)
    # sockets that share a port would also share it with another mirror: the first one must have it alone
    _bind(protocol, endpoint, family, address, shared=False).close()
    sockets: list[socket.socket] = []
    try:
        for _ in range(workers):
            sockets.append(_bind(protocol, endpoint, family, address, shared=True))
            # port 0 is whatever the first one got
            address = (address[0], sockets[0].getsockname()[1], *address[2:])
    except ServeError:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def _resolve(protocol: str, endpoint: ListenAddress) -> tuple[socket.AddressFamily, tuple[str | int, ...]]:
    if not endpoint.host:
        if socket.has_dualstack_ipv6() and _has_ipv6():
            return socket.AF_INET6, ("::", endpoint.port, 0, 0)
        return socket.AF_INET, ("0.0.0.0", endpoint.port)  # noqa: S104 - every address is what was asked for
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise _unusable(protocol, endpoint, error) from error
    family, _, _, _, address = found[0]
    return family, tuple(str(part) if isinstance(part, bytes) else part for part in address)


def _has_ipv6() -> bool:
    """Tell whether this kernel gives out IPv6 sockets at all; many hosts have it switched off."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as trial:
            trial.bind(("::1", 0))
    except OSError:
        return False
    return True


def _bind(
    protocol: str,
    endpoint: ListenAddress,
    family: socket.AddressFamily,
    address: tuple[str | int, ...],
    *,
    shared: bool,
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _cannot_bind(protocol, endpoint, error) from error
    return listener


def _cannot_bind(protocol: str, endpoint: ListenAddress, error: OSError) -> ServeError:
    flag = f"--{protocol}"
    match error.errno:
        case errno.EADDRINUSE:
            holder = port_holder(endpoint.port)
            return ServeError(
                ErrorId.SERVE_PORT_TAKEN,
                tr("the port is taken by {holder}", holder=holder)
                if holder
                else tr("the port is taken by a process that cannot be seen"),
                where=str(endpoint),
                remedy=tr(
                    "End that program, or choose another port: {flag} HOST:PORT ({flag} off to do without).", flag=flag
                ),
            )
        case errno.EACCES | errno.EPERM:
            return ServeError(
                ErrorId.SERVE_PORT_DENIED,
                tr("this user may not listen there; ports below 1024 need root"),
                where=str(endpoint),
                remedy=tr(
                    "Start it as root, or choose a port above 1023: {flag} HOST:PORT ({flag} off to do without).",
                    flag=flag,
                ),
            )
        case _:
            return _unusable(protocol, endpoint, error)


def _unusable(protocol: str, endpoint: ListenAddress, error: OSError) -> ServeError:
    return ServeError(
        ErrorId.SERVE_ADDRESS_UNUSABLE,
        tr("it is impossible to listen there: {reason}", reason=error.strerror or error),
        where=str(endpoint),
        remedy=tr(
            "Name an address of this host, or only a port for all of them: --{protocol} [HOST:]PORT.", protocol=protocol
        ),
    )
