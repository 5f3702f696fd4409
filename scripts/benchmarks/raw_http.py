"""As much HTTP as a client needs that must cost next to nothing: a request, and the head of its answer."""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

MAX_HEAD_BYTES = 16 * 1024
TIMEOUT_S = 30
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Head(NamedTuple):
    """What an answer begins with; `content` is what of its content came along with the head."""

    status: int
    length: int
    content: bytes


def connect(port: int) -> socket.socket:
    """Connect to a server on loopback."""
    return socket.create_connection(("127.0.0.1", port), TIMEOUT_S)


def request(path: str) -> bytes:
    """Return a request for a file, as short as HTTP/1.1 lets it be."""
    return f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def read_head(connection: socket.socket) -> Head:
    """Read until the head is there. Raises ConnectionError when the server ends before, or says no length."""
    came = b""
    while b"\r\n\r\n" not in came:
        piece = connection.recv(MAX_HEAD_BYTES)
        if not piece or len(came) > MAX_HEAD_BYTES:
            raise ConnectionError(f"no answer: {came[:80]!r}")
        came += piece
    head, _, content = came.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    if length is None:
        raise ConnectionError(f"an answer without length: {head[:80]!r}")
    return Head(int(head.split(b" ", 2)[1]), int(length[1]), content)


def read_answer(connection: socket.socket) -> int:
    """Read an answer to its end and return its status. Raises ConnectionError."""
    status, length, content = read_head(connection)
    left = length - len(content)
    while left > 0:
        piece = connection.recv(left)
        if not piece:
            raise ConnectionError("the answer was cut")
        left -= len(piece)
    return status
