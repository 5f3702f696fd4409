"""How a data connection comes about: the client comes to us (PASV, EPSV), or we go to it (PORT, EPRT).

Owns which ports are used, and that only the client of the control connection gets through (RFC 2577, 3 and 4).
"""

from __future__ import annotations

import errno
import ipaddress
import random
import socket
from contextlib import suppress
from typing import NamedTuple, Protocol

from mirror.ftp.data_connection import Direction, reset
from mirror.worker.allow import plain_address

_BACKLOG = 4
_TAKEN = (errno.EADDRINUSE, errno.EACCES, errno.EPERM)


class NoPortError(Exception):
    """No port of the passive range is free."""


class RefusedTargetError(Exception):
    """A client names a data port that is not its own (FTP bounce), or none at all; the text is for the client."""


class Near(NamedTuple):
    """One end of a control connection, as the kernel says it; an IPv4 address mapped into IPv6 is IPv4 here."""

    address: str
    zone: int

    @property
    def family(self) -> socket.AddressFamily:
        """Which kind of socket reaches it."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def endpoint(self, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
        """Return what bind(2) and connect(2) take."""
        return (self.address, port, 0, self.zone) if ":" in self.address else (self.address, port)


def near(name: tuple[str, int] | tuple[str, int, int, int]) -> Near:
    """Return the address of what getsockname(2) or accept(2) has told."""
    address = plain_address(name[0].partition("%")[0])
    return Near(address, name[3] if len(name) > 2 and ":" in address else 0)


class Door(Protocol):
    """A data connection to be; either way `knock` is called until it gives a socket."""

    awaits: Direction

    def fileno(self) -> int:
        """Return the descriptor to wait on."""

    def knock(self) -> socket.socket | None:
        """Return the connection, non-blocking, or None while it has to be waited for; OSError when there is none."""

    def close(self) -> None:
        """Give it up; may be called twice."""


class PassiveDoor:
    """A port that one client may connect to.

    Arguments:
        local: the address that the client has reached us at.
        peer: the client's.
        ports: first and last port of the range; several processes share it.

    Raises NoPortError when all are taken, OSError when the process has no descriptor left.
    """

    awaits: Direction = "read"

    def __init__(self, local: Near, peer: Near, ports: tuple[int, int]) -> None:
        self._peer = peer.address
        self._socket, self.port = _listening(local, ports)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def knock(self) -> socket.socket | None:
        """Accept the client's connection; strangers are turned away, and cost it nothing."""
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


def _listening(local: Near, ports: tuple[int, int]) -> tuple[socket.socket, int]:
    first, last = ports
    count = last - first + 1
    begin = random.randrange(count)  # noqa: S311 - spreads the processes over the range; nothing secret
    for step in range(count):
        port = first + (begin + step) % count
        listener = socket.socket(local.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            # ended connections of the port may still wait (TIME_WAIT); a port that somebody listens on stays refused
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(local.endpoint(port))
            # two processes can bind the same port at once; only one can listen
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno not in _TAKEN:
                raise
        else:
            return listener, port
    raise NoPortError


class ActiveDoor:
    """A port of the client's that we are to connect to.

    Arguments:
        local: the address that the client has reached us at; ours for the data connection.
        peer: the client's.
        address, port: as the client says.

    Raises RefusedTargetError unless it is the client's own address, and a port above the privileged ones.
    """

    awaits: Direction = "write"

    def __init__(self, local: Near, peer: Near, address: str, port: int) -> None:
        try:
            own = ipaddress.ip_address(address) == ipaddress.ip_address(peer.address)
        except ValueError:
            own = False
        if not own:
            raise RefusedTargetError("Data connections go to your own address only.")
        if not 1024 <= port <= 65535:
            raise RefusedTargetError("Data connections go to ports from 1024 on only.")
        self._local = local
        self._target = peer.endpoint(port)
        self._socket: socket.socket | None = None

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return -1 if self._socket is None else self._socket.fileno()

    def knock(self) -> socket.socket | None:
        """Connect at first, then tell how that went."""
        if self._socket is None:
            self._socket = socket.socket(self._local.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._socket.bind(self._local.endpoint(0))
            with suppress(BlockingIOError):
                self._socket.connect(self._target)
                return self._given()
            return None
        if failed := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(failed, "cannot connect")
        return self._given()

    def _given(self) -> socket.socket | None:
        connection, self._socket = self._socket, None
        return connection

    def close(self) -> None:
        """Give the attempt up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
