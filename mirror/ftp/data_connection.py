"""A data connection once it is established: plain here, TLS in `tls`. Non-blocking; says what it waits for."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Literal, Protocol

from mirror.worker.untaken import Taking

if TYPE_CHECKING:
    from mirror.ftp.content import Content

Direction = Literal["read", "write"]
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class WouldBlock(Exception):  # noqa: N818 - no error
    """The connection is not ready.

    Arguments:
        direction: what it has to be ready for.
    """

    def __init__(self, direction: Direction) -> None:
        super().__init__(direction)
        self.direction: Direction = direction


class DataConnection(Protocol):
    """A data connection; every call raises WouldBlock while it is not ready, OSError when it is gone."""

    def fileno(self) -> int:
        """Return the descriptor to wait on."""

    def handshake(self) -> None:
        """Do what comes before the first byte."""

    def send(self, content: Content, limit: int) -> int:
        """Send at most so many bytes of a content; returns how many. Raises UntakenError before its last ones."""

    def finish(self) -> None:
        """Close it so that the client knows that it has all."""

    def abort(self) -> None:
        """Close it so that the client cannot think that it has all. Never raises."""


def reset(connection: socket.socket) -> None:
    """Close a connection with RST instead of FIN (socket(7), SO_LINGER)."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    except OSError:
        pass
    finally:
        connection.close()


class PlainDataConnection:
    """A data connection without TLS; owns its socket."""

    __slots__ = ("_number", "_socket", "_taking")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._number = connection.fileno()
        self._taking = Taking(connection)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._number

    def handshake(self) -> None:
        """Nothing comes before the first byte."""

    def send(self, content: Content, limit: int) -> int:
        """Send (`DataConnection.send`)."""
        content.require_taken(self._taking)
        try:
            return content.send(self._number, limit)
        except BlockingIOError:
            raise WouldBlock("write") from None

    def finish(self) -> None:
        """Close it; the kernel sends what it has, then FIN."""
        self._socket.close()

    def abort(self) -> None:
        """Close it with RST."""
        reset(self._socket)
