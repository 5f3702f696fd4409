"""A TCP proxy before a real server that cuts the first connections after so many bytes of what the server sends."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES = 16 * 1024


@dataclass(slots=True)
class CuttingProxy:
    """A running proxy: where it listens, and the sizes of what it passed to clients."""

    host: str
    passed: list[int] = field(default_factory=list)


@contextmanager
def cutting_proxy(target: str, *cuts: int) -> Iterator[CuttingProxy]:
    """Run a proxy to `HOST:PORT` on a free port of 127.0.0.1.

    The first connection ends after `cuts[0]` bytes from the server, the second after `cuts[1]`, and so on; what was
    sent before the cut arrives. Later connections are left alone.
    """
    host, _, port = target.partition(":")
    remaining = list(cuts)
    open_sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = CuttingProxy(f"127.0.0.1:{listener.getsockname()[1]}")

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                server = socket.create_connection((host, int(port)))
                open_sockets.extend((client, server))
                budget = remaining.pop(0) if remaining else None
                for pump in ((client, server, None, []), (server, client, budget, proxy.passed)):
                    thread = threading.Thread(target=_pump, args=pump)
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for used in open_sockets:
                with suppress(OSError):
                    used.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            for used in open_sockets:
                used.close()


def _pump(source: socket.socket, sink: socket.socket, budget: int | None, passed: list[int]) -> None:
    with suppress(OSError):
        while data := source.recv(PIECE_BYTES if budget is None else min(PIECE_BYTES, budget)):
            passed.append(len(data))
            sink.sendall(data)
            if budget is not None:
                budget -= len(data)
                if budget == 0:
                    break
        sink.shutdown(socket.SHUT_RDWR)
        source.shutdown(socket.SHUT_RDWR)
