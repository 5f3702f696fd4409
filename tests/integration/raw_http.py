"""A client that sends exactly the bytes that it is given, and reads answers as strictly as a proxy would."""

from __future__ import annotations

import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

TIMEOUT_S = 60.0
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [A-Za-z ]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the names of its fields in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


class ClosedError(Exception):
    """The server has closed the connection; `rest` is what came of an answer, none of it when there was to be none."""

    def __init__(self, rest: bytes) -> None:
        super().__init__(f"closed after {len(rest)} bytes of an answer: {rest[:200]!r}")
        self.rest = rest


class Wire:
    """One connection."""

    def __init__(self, line: socket.socket) -> None:
        self.socket = line
        self._buffer = bytearray()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed already is noticed on reading."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def get(self, target: str, *fields: str, method: str = "GET") -> Answer:
        """Ask for something and read the answer."""
        self.send(request(target, *fields, method=method))
        return self.answer(head=method == "HEAD")

    def answer(self, *, head: bool = False) -> Answer:
        """Read one answer. Raises ClosedError when it does not come whole."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        start, _, _ = bytes(self._buffer).partition(b"\r\n\r\n")
        first, *lines = start.split(b"\r\n")
        matched = _STATUS_LINE.fullmatch(first)
        assert matched is not None, f"no status line: {first[:200]!r}"
        fields = dict(line.decode("latin-1").split(": ", 1) for line in lines)
        named = {name.lower(): value for name, value in fields.items()}
        status = int(matched[1])
        size = 0 if head or status in (204, 304) else int(named["content-length"])
        while len(self._buffer) < len(start) + 4 + size:
            self._more()
        body = bytes(self._buffer[len(start) + 4 :][:size])
        del self._buffer[: len(start) + 4 + size]
        return Answer(status, named, body)

    def begin(self, target: str) -> None:
        """Ask for something, wait until the first bytes of the answer are there, and read no more."""
        self.send(request(target))
        self._buffer += self.socket.recv(16)

    def rest(self) -> bytes:
        """Read to the end of the connection, and return what no `answer` took."""
        try:
            while True:
                self._more()
        except ClosedError as closed:
            self._buffer.clear()
            return closed.rest

    def _more(self) -> None:
        try:
            data = self.socket.recv(1024 * 1024)
        except ConnectionResetError:
            data = b""
        if not data:
            raise ClosedError(bytes(self._buffer))
        self._buffer += data


def request(target: str, *fields: str, method: str = "GET") -> bytes:
    """Return a request's head."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: master", *fields, "", ""]).encode("latin-1")


@contextmanager
def connected(
    port: int,
    context: ssl.SSLContext | None = None,
    *,
    host: str = "127.0.0.1",
    own: str = "",
    receive_bytes: int = 0,
    timeout_s: float = TIMEOUT_S,
) -> Iterator[Wire]:
    """Connect to a port, of loopback unless another host is named.

    Arguments:
        context: for TLS.
        own: the address that the client has, "" for what the kernel chooses.
        receive_bytes: a small receive buffer, for a client that reads slowly; 0 for the usual one.
    """
    line = socket.socket()
    if receive_bytes:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    line.settimeout(timeout_s)
    with line:
        if own:
            line.bind((own, 0))
        line.connect((host, port))
        if context is None:
            yield Wire(line)
            return
        with context.wrap_socket(line, server_hostname="master") as secure:
            yield Wire(secure)
