"""A client for large files, which throws the bytes away in the kernel (MSG_TRUNC, tcp(7)) or takes them.

    python -m scripts.benchmarks.bulk_client PORT CONNECTIONS SECONDS LARGE_BYTES discard|copy [PATH...]

One that discards is nearly free, so that the server is what is measured. One that copies is like curl and wrk: it
receives into a buffer of a usual size, and the bytes are read there once more, as by whoever hashes or writes them.

Connects, says `open`, and reads from its standard input when the window begins, on the monotonic clock. Then asks for
the large files (or those paths, all of LARGE_BYTES) over and over on every connection, and prints the content's bytes
that came within the window, and the seconds of processor time that it took for them.
"""

from __future__ import annotations

import mmap
import select
import socket
import sys
import time
from typing import TYPE_CHECKING

from scripts.benchmarks.raw_http import connect, read_head, request
from scripts.benchmarks.serve_tree import LARGE_FILES, large_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RECEIVE_BYTES = 1024 * 1024
# what curl receives at once by default is 100 KiB
COPY_BYTES = 128 * 1024


class _Discarding:
    """Takes bytes off a connection without having them."""

    def __init__(self) -> None:
        self._nowhere = mmap.mmap(-1, RECEIVE_BYTES)

    def receive(self, connection: socket.socket, most: int) -> int:
        """Return how many there were, at most so many."""
        return connection.recv_into(self._nowhere, min(most, RECEIVE_BYTES), socket.MSG_TRUNC)


class _Copying:
    """Takes bytes off a connection into memory, and reads each of them once."""

    def __init__(self) -> None:
        self._came, self._read = memoryview(bytearray(COPY_BYTES)), memoryview(bytearray(COPY_BYTES))

    def receive(self, connection: socket.socket, most: int) -> int:
        """Return how many there were, at most so many."""
        count = connection.recv_into(self._came, min(most, COPY_BYTES))
        self._read[:count] = self._came[:count]
        return count


RECEIVERS: Mapping[str, type[_Discarding | _Copying]] = {"discard": _Discarding, "copy": _Copying}


class _Download:
    """One connection, and how much of the present answer is still to come."""

    def __init__(self, port: int, number: int, large_bytes: int, paths: Sequence[str]) -> None:
        self.connection = connect(port)
        self._large_bytes = large_bytes
        self._number = number
        self._paths = paths
        self._left = 0

    def ask(self) -> None:
        """Request the next file."""
        self.connection.sendall(request(self._paths[self._number % len(self._paths)]))
        self._number += 1

    def receive(self, receiver: _Discarding | _Copying) -> int:
        """Take what is there, and ask for the next file at an answer's end. Raises ConnectionError."""
        if not self._left:
            head = read_head(self.connection)
            if head.status != 200 or head.length != self._large_bytes:
                raise ConnectionError(f"status {head.status}, {head.length} bytes")
            count = len(head.content)
            self._left = head.length
        else:
            count = receiver.receive(self.connection, self._left)
            if not count:
                raise ConnectionError("a transfer was cut")
        self._left -= count
        if not self._left:
            self.ask()
        return count


def bytes_in_window(downloads: list[_Download], receiver: _Discarding | _Copying, seconds: float) -> tuple[int, float]:
    """Download, and count; return the bytes, and the processor time in seconds."""
    total, used_s = 0, 0.0
    try:
        print("open", flush=True)
        begin_s = float(sys.stdin.readline())
        for download in downloads:
            download.ask()
        for now_s, count in _received(downloads, receiver, begin_s + seconds):
            if now_s >= begin_s:
                used_s = used_s or time.process_time()
                total += count
    finally:
        for download in downloads:
            download.connection.close()
    return total, time.process_time() - (used_s or time.process_time())


def _received(
    downloads: list[_Download], receiver: _Discarding | _Copying, end_s: float
) -> Iterator[tuple[float, int]]:
    by_descriptor = {download.connection.fileno(): download for download in downloads}
    poll = select.epoll()
    for descriptor in by_descriptor:
        poll.register(descriptor, select.EPOLLIN)
    while (now_s := time.monotonic()) < end_s:
        for descriptor, _ in poll.poll(end_s - now_s):
            yield now_s, by_descriptor[descriptor].receive(receiver)


if __name__ == "__main__":
    _port, _connections, _seconds, _large_bytes, _receiver, *_given = sys.argv[1:]
    _paths = _given or [large_path(number) for number in range(LARGE_FILES)]
    _downloads = [_Download(int(_port), number, int(_large_bytes), _paths) for number in range(int(_connections))]
    print(*bytes_in_window(_downloads, RECEIVERS[_receiver](), float(_seconds)))
