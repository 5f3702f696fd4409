"""Establishing data connections (RFC 959, 3.2): the client connects to us (passive), or we to it (active).

Owns which ports are used, and that only the client of the control connection gets through (RFC 2577, 3 and 4).
"""

from __future__ import annotations

import errno
import ipaddress
import random
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mirror.ftp.data_connection import Direction, reset
from mirror.worker.allow import plain_address

if TYPE_CHECKING:
    from collections.abc import Callable

_BACKLOG = 4
_TAKEN = (errno.EADDRINUSE, errno.EACCES, errno.EPERM)


class NoFreePortError(Exception):
    """No port of the passive range is free."""


class RefusedTargetError(Exception):
    """A client names a data port that is not its own (FTP bounce), or none at all; the text is for the client."""


class ScopedAddress(NamedTuple):
    """The address of one end of a control connection; an IPv4 address mapped into IPv6 is IPv4 here.

    Arguments:
        address: without its zone.
        zone: which interface a link-local IPv6 address belongs to (RFC 4007), 0 for all others.
    """

    address: str
    zone: int

    @property
    def family(self) -> socket.AddressFamily:
        """Which kind of socket reaches it."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def socket_address(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """Return what bind(2) and connect(2) take."""
        return (self.address, port, 0, self.zone) if ":" in self.address else (self.address, port)


def scoped_address(name: tuple[str, int] | tuple[str, int, int, int]) -> ScopedAddress:
    """Return the address in what getsockname(2) or accept(2) returns."""
    address = plain_address(name[0].partition("%")[0])
    return ScopedAddress(address, name[3] if len(name) > 2 and ":" in address else 0)


class DataPort(Protocol):
    """Where the next data connection comes from; either way `establish` is called until it returns a socket."""

    awaits: Direction

    def fileno(self) -> int:
        """Return the descriptor to wait on."""

    def establish(self) -> socket.socket | None:
        """Return the connection, non-blocking, or None while it has to be waited for; OSError when there is none."""

    def close(self) -> None:
        """Give it up; may be called twice."""


class PassivePort:
    """A port of ours that one client may connect to.

    Arguments:
        local: the address that the client has connected to.
        peer: the client's.
        ports: first and last port of the range; several processes share it.
        closed: called once, when nothing listens there any more; not when nothing ever did.

    Raises NoFreePortError when all are taken, OSError when the process has no descriptor left.
    """

    awaits: Direction = "read"

    def __init__(
        self,
        local: ScopedAddress,
        peer: ScopedAddress,
        ports: tuple[int, int],
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._peer = peer.address
        self._closed: Callable[[], None] | None = closed
        self._socket, self.number = _listening(local, ports)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def establish(self) -> socket.socket | None:
        """Accept the client's connection; other hosts' connections are reset, and do not use it up."""
        while True:
            try:
                connection, name = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None
            if plain_address(name[0].partition("%")[0]) == self._peer:
                connection.setblocking(False)
                return connection
            reset(connection)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()


def _listening(local: ScopedAddress, ports: tuple[int, int]) -> tuple[socket.socket, int]:
    first, last = ports
    count = last - first + 1
    begin = random.randrange(count)  # noqa: S311 - spreads the processes over the range; nothing secret
    for step in range(count):
        port = first + (begin + step) % count
        listener = socket.socket(local.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            # ended connections of the port may still wait (TIME_WAIT); a port that somebody listens on stays refused
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(local.socket_address(port))
            # two processes can bind the same port at once; only one can listen
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno not in _TAKEN:
                raise
        else:
            return listener, port
    raise NoFreePortError


class ActivePort:
    """A port of the client's that we are to connect to.

    Arguments:
        local: the address that the client has connected to; ours for the data connection too.
        peer: the client's.
        address, port: as the client gives them.

    Raises RefusedTargetError unless it is the client's own address, and a port above the privileged ones.
    """

    awaits: Direction = "write"

    def __init__(self, local: ScopedAddress, peer: ScopedAddress, address: str, port: int) -> None:
        try:
            own = ipaddress.ip_address(address) == ipaddress.ip_address(peer.address)
        except ValueError:
            own = False
        if not own:
            raise RefusedTargetError("Data connections go to your own address only.")
        if not 1024 <= port <= 65535:
            raise RefusedTargetError("Data connections go to ports from 1024 on only.")
        self._local = local
        self._target = peer.socket_address(port)
        self._socket: socket.socket | None = None

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return -1 if self._socket is None else self._socket.fileno()

    def establish(self) -> socket.socket | None:
        """Begin to connect, then find out how that went."""
        if self._socket is None:
            self._socket = socket.socket(self._local.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._socket.bind(self._local.socket_address(0))
            with suppress(BlockingIOError):
                self._socket.connect(self._target)
                return self._connected()
            return None
        if failed := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(failed, "cannot connect")
        return self._connected()

    def _connected(self) -> socket.socket | None:
        connection, self._socket = self._socket, None
        return connection

    def close(self) -> None:
        """Stop connecting."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
