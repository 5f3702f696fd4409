"""A client for large files that is nearly free: the kernel throws the bytes away (MSG_TRUNC, tcp(7)).

    python -m scripts.benchmarks.bulk_client PORT CONNECTIONS SECONDS LARGE_BYTES [PATH...]

Connects, says `open`, and reads from its standard input when the window begins, on the monotonic clock. Then asks for
the large files (or those paths, all of LARGE_BYTES) over and over on every connection, and prints the content's bytes
that came within the window.
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
    from collections.abc import Iterator, Sequence

RECEIVE_BYTES = 1024 * 1024


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

    def receive(self, nowhere: mmap.mmap) -> int:
        """Take what is there, and ask for the next file at an answer's end. Raises ConnectionError."""
        if not self._left:
            head = read_head(self.connection)
            if head.status != 200 or head.length != self._large_bytes:
                raise ConnectionError(f"status {head.status}, {head.length} bytes")
            count = len(head.content)
            self._left = head.length
        else:
            count = self.connection.recv_into(nowhere, min(self._left, RECEIVE_BYTES), socket.MSG_TRUNC)
            if not count:
                raise ConnectionError("a transfer was cut")
        self._left -= count
        if not self._left:
            self.ask()
        return count


def bytes_in_window(port: int, connections: int, seconds: float, large_bytes: int, paths: Sequence[str]) -> int:
    """Download, and count."""
    downloads = [_Download(port, number, large_bytes, paths) for number in range(connections)]
    total = 0
    try:
        print("open", flush=True)
        begin_s = float(sys.stdin.readline())
        for download in downloads:
            download.ask()
        for now_s, count in _received(downloads, begin_s + seconds):
            if now_s >= begin_s:
                total += count
    finally:
        for download in downloads:
            download.connection.close()
    return total


def _received(downloads: list[_Download], end_s: float) -> Iterator[tuple[float, int]]:
    nowhere = mmap.mmap(-1, RECEIVE_BYTES)
    by_descriptor = {download.connection.fileno(): download for download in downloads}
    poll = select.epoll()
    for descriptor in by_descriptor:
        poll.register(descriptor, select.EPOLLIN)
    while (now_s := time.monotonic()) < end_s:
        for descriptor, _ in poll.poll(end_s - now_s):
            yield now_s, by_descriptor[descriptor].receive(nowhere)


if __name__ == "__main__":
    _port, _connections, _seconds, _large_bytes, *_given = sys.argv[1:]
    _paths = _given or [large_path(number) for number in range(LARGE_FILES)]
    print(bytes_in_window(int(_port), int(_connections), float(_seconds), int(_large_bytes), _paths))
