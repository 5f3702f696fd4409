"""How much of what a connection was given its client has not taken yet.

`sendfile(2)` queues a file's own pages: what is written to the file reaches the client as long as nobody has copied
them. A client elsewhere has copied what its kernel acknowledges. One on this host gets the very pages into its socket
(so do loopback and virtual links), and has copied what its program has read: sock_diag(7) knows. docs/adr/0056.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import socket
import struct
import sys
import termios
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.tree.open_file import OpenFile

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h; Python has no names for them
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, _NLMSG_ERROR = 4, 20, 1, 2
_HEADER, _QUESTION = struct.Struct("=IHHII"), struct.Struct("=BBBxI")
# ports and addresses are in the order of the network; the interface, and the cookie of a socket that is not known yet
_PORTS, _ANY_SOCKET = struct.Struct("!HH"), struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_ALL_STATES, _LISTENS = 0xFFFFFFFF, 10
_STATE_AT, _READ_QUEUE_AT, _ERROR_AT = 17, 72, 16
_WITHIN_S, _ANSWER_BYTES = 1.0, 4096
# between two questions about a client: short for one that reads as fast as it is sent to
_LEAST_PAUSE_S, _MOST_PAUSE_S = 0.001, 0.25
_Address = tuple[str, int]


class Ends(NamedTuple):
    """The addresses and ports of a connection, ours first."""

    ours: _Address
    theirs: _Address

    @classmethod
    def of(cls, connection: socket.socket) -> Ends | None:
        """Return those of a TCP connection, None for anything else. Raises OSError for one that is gone."""
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        return cls(_plain(connection.getsockname()), _plain(connection.getpeername()))


def _plain(address: tuple[str, int] | tuple[str, int, int, int]) -> _Address:
    # an IPv4 client of a socket for both has an IPv4 socket itself
    host = ipaddress.ip_address(address[0].partition("%")[0])
    mapped = host.ipv4_mapped if isinstance(host, ipaddress.IPv6Address) else None
    return str(mapped or host), address[1]


_NOBODYS = Ends(("127.0.0.1", 0), ("127.0.0.1", 0))


class SocketDiagnosis:
    """Answers about sockets of this host (sock_diag(7)).

    Arguments:
        asking: a netlink socket.
    """

    __slots__ = ("_asking",)

    def __init__(self, asking: socket.socket) -> None:
        self._asking = asking

    def unread_bytes(self, ends: Ends) -> int | None:
        """Return how much a client's socket holds that its program has not read; None for one that is not found here.

        Raises OSError.
        """
        answer = self._answer(ends)
        size, kind, *_ = _HEADER.unpack_from(answer)
        if kind == _NLMSG_ERROR:
            number = -struct.unpack_from("=i", answer, _ERROR_AT)[0]
            if number == errno.ENOENT:
                return None
            raise OSError(number, "sock_diag")
        if kind != _SOCK_DIAG_BY_FAMILY or size < _READ_QUEUE_AT + 4:
            raise OSError(errno.EPROTO, "sock_diag")
        # where there is no such connection it finds a listener on the client's port
        if answer[_STATE_AT] == _LISTENS:
            return None
        (unread,) = struct.unpack_from("=I", answer, _READ_QUEUE_AT)
        return int(unread)

    def _answer(self, ends: Ends) -> bytes:
        hosts = [ipaddress.ip_address(host) for host, _ in (ends.theirs, ends.ours)]
        family = socket.AF_INET if hosts[0].version == 4 else socket.AF_INET6
        question = _QUESTION.pack(family, socket.IPPROTO_TCP, 0, _ALL_STATES)
        question += _PORTS.pack(ends.theirs[1], ends.ours[1])
        question += b"".join(host.packed.ljust(16, b"\0") for host in hosts) + _ANY_SOCKET
        size = _HEADER.size + len(question)
        self._asking.send(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + question)
        return self._asking.recv(_ANSWER_BYTES)


@cache
def socket_diagnosis() -> SocketDiagnosis | None:
    """Return what answers about sockets of this host; None where the kernel does not."""
    try:
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
    except OSError:
        return None
    asking.settimeout(_WITHIN_S)
    diagnosis = SocketDiagnosis(asking)
    try:
        diagnosis.unread_bytes(_NOBODYS)
    except OSError:
        asking.close()
        return None
    return diagnosis


class UntakenError(Exception):
    """The client has yet to take what it was sent.

    Arguments:
        pause_s: after how many seconds to ask again.
        progressed: whether it has taken something since the last question.
    """

    def __init__(self, pause_s: float, *, progressed: bool) -> None:
        super().__init__(pause_s)
        self.pause_s = pause_s
        self.progressed = progressed


class Taking:
    """A client that takes what it was sent, in its own time.

    Arguments:
        connection: its socket here.
        diagnosis: returns what answers about sockets of this host, or None.
    """

    __slots__ = ("_connection", "_diagnosis", "_ends", "_is_known", "_left", "_pause_s", "progressed")

    def __init__(
        self, connection: socket.socket, diagnosis: Callable[[], SocketDiagnosis | None] = socket_diagnosis
    ) -> None:
        self._connection, self._diagnosis = connection, diagnosis
        self._ends: Ends | None = None
        self._is_known: bool | None = None
        self._left = -1
        self._pause_s = _LEAST_PAUSE_S
        self.progressed = False
        """Whether it has taken something between the last two questions."""

    def is_known(self) -> bool:
        """Tell whether all is known of it: not of one on this host that no diagnosis finds. Raises OSError.

        Kernels have their diagnosis of TCP in a module, and do not say that it is missing; an address that was
        translated on the way, or that counts on one interface alone, is not found either.
        """
        if self._is_known is None:
            ends = Ends.of(self._connection)
            self._is_known = ends is None or ends.ours[0] != ends.theirs[0] or self._is_found(ends)
        return self._is_known

    def prepare(self, file: OpenFile) -> None:
        """Have a file sent as copies alone to a client of which nobody can tell what it has taken. Raises OSError."""
        if file.queues_pages and not self.is_known():
            file.copy_all()

    def pause_s(self, most: int) -> float:
        """Return 0 when no more than so many bytes wait, else after how many seconds to ask again. Raises OSError."""
        if self._left < 0:
            self._ends = Ends.of(self._connection)
        left = self._untaken_bytes()
        if left <= most:
            return 0.0
        self.progressed = left != self._left
        self._left = left
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, _MOST_PAUSE_S)
        return pause_s

    def require_taken(self, most: int | None) -> None:
        """Raise UntakenError when more than so many bytes wait; None for no matter how many. Raises OSError."""
        if most is not None and (pause_s := self.pause_s(most)):
            raise UntakenError(pause_s, progressed=self.progressed)

    def _is_found(self, ends: Ends) -> bool:
        diagnosis = self._diagnosis()
        return diagnosis is not None and diagnosis.unread_bytes(ends) is not None

    def _untaken_bytes(self) -> int:
        # this one first: what moves on between the two questions is counted twice, and never left out
        waiting = int.from_bytes(fcntl.ioctl(self._connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        if self._ends is not None and (diagnosis := self._diagnosis()) is not None:
            waiting += diagnosis.unread_bytes(self._ends) or 0
        return waiting
