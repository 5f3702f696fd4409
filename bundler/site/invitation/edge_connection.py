"""One client of the listener, from its handshake to the last byte of its answer: never waited for, within bounds."""

from __future__ import annotations

import ipaddress
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from bundler.site.invitation.join_message import END, MAX_REQUEST_BYTES

if TYPE_CHECKING:
    import socket

_PIECE_BYTES = 64 * 1024
# of IPv6, which gives a host as many addresses as it likes
_NETWORK_BITS = 64
Wish = Literal["read", "write", "asked", "sent", "gone"]


class EdgeConnection:
    """A client.

    `proceed` does what can be done now and tells what it needs for the next step: `read` or `write` when the socket is
    ready for that, `asked` when `request` is complete and wants `answer_with`, `sent` when the answer is out, `gone`
    when the client is no client of ours, or left.
    """

    def __init__(self, plain: socket.socket, address: str, context: ssl.SSLContext, deadline_s: float) -> None:
        plain.setblocking(False)
        self.address = address
        self.deadline_s = deadline_s
        self.host = ""
        self._socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._greeted = False
        self._received = bytearray()
        self._left: memoryview | None = None

    @property
    def neighbourhood(self) -> str:
        """The part of its address that one host, or one attacker, has."""
        address = ipaddress.ip_address(self.address.partition("%")[0])
        if address.version == 4:
            return str(address)
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False))

    @property
    def is_answered(self) -> bool:
        """Whether it has an answer that it does not read quickly, or did not get whole yet."""
        return self._left is not None

    @property
    def request(self) -> bytes:
        """The line that it sent, without its end."""
        return bytes(self._received).partition(END)[0]

    def fileno(self) -> int:
        """Return the socket's number."""
        return self._socket.fileno()

    def answer_with(self, data: bytes, deadline_s: float) -> None:
        """Send this, by further calls of `proceed`."""
        self._left = memoryview(data)
        self.deadline_s = deadline_s

    def proceed(self) -> Wish:
        """Take the next steps as far as they go without waiting."""
        try:
            if not self._greeted:
                self._socket.do_handshake()
                self._greeted = True
            return self._receive() if self._left is None else self._send(self._left)
        except ssl.SSLWantReadError:
            return "read"
        except ssl.SSLWantWriteError:
            return "write"
        except (OSError, ValueError):
            # ssl.SSLError is an OSError: no TLS, an old one, or a cut connection
            return "gone"

    def close(self) -> None:
        """End the connection; that TLS ends properly is tried once."""
        if self._left is not None and not self._left:
            with suppress(OSError, ValueError):
                self._socket.unwrap()
        with suppress(OSError):
            self._socket.close()

    def _receive(self) -> Wish:
        # one byte more than may come tells that there is more
        while END not in self._received and len(self._received) <= MAX_REQUEST_BYTES:
            data = self._socket.recv(MAX_REQUEST_BYTES + 1 - len(self._received))
            if not data:
                return "gone"
            self._received += data
        return "asked" if END in self._received else "gone"

    def _send(self, left: memoryview) -> Wish:
        while left:
            left = left[self._socket.send(left[:_PIECE_BYTES]) :]
            self._left = left
        return "sent"
