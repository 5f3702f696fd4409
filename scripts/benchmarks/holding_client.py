"""A client that holds many connections open: half of them had an answer and are idle, half have begun a request.

    python -m scripts.benchmarks.holding_client PORT CONNECTIONS

Says `open`, waits for its standard input to end, and prints how many connections then still answered a request with
200. They are reset at the end, so that no port is taken for a minute.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress

from scripts.benchmarks.raw_http import connect, read_answer, request
from scripts.benchmarks.serve_tree import small_path

_WHOLE = request(small_path(0))
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
# few enough that no answer has to wait in a queue of the server's for long
AT_ONCE = 250


def hold(port: int, count: int) -> None:
    """Open, wait, ask."""
    connections = [connection for number in range(count) if (connection := _opened(port, number)) is not None]
    print("open", flush=True)
    sys.stdin.read()
    batches = (connections[start : start + AT_ONCE] for start in range(0, len(connections), AT_ONCE))
    print(sum(_answered(batch) for batch in batches), flush=True)
    for opened, _ in connections:
        opened.close()


def _opened(port: int, number: int) -> tuple[socket.socket, bytes] | None:
    """Return a connection and what is still to be sent on it, None when it was refused or cut."""
    begun, rest = (_WHOLE[:-2], _WHOLE[-2:]) if number % 2 else (_WHOLE, _WHOLE)
    try:
        connection = connect(port)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        connection.sendall(begun)
        if not number % 2 and read_answer(connection) != 200:
            return None
    except OSError:
        return None
    return connection, rest


def _answered(batch: list[tuple[socket.socket, bytes]]) -> int:
    for connection, rest in batch:
        with suppress(OSError):
            connection.sendall(rest)
    return sum(_is_right(connection) for connection, _ in batch)


def _is_right(connection: socket.socket) -> bool:
    try:
        return read_answer(connection) == 200
    except OSError:
        return False


if __name__ == "__main__":
    hold(*map(int, sys.argv[1:]))
