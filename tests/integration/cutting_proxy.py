"""A TCP proxy before a real server that cuts the first connections after so many bytes of what the server sends."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.integration.relay import relayed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.relay import Pump

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
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = CuttingProxy(f"127.0.0.1:{listener.getsockname()[1]}")

        def pumps(client: socket.socket, server: socket.socket) -> tuple[Pump, Pump]:
            budget = remaining.pop(0) if remaining else None
            return partial(_pump, client, server, None, []), partial(_pump, server, client, budget, proxy.passed)

        with relayed(listener, lambda: socket.create_connection((host, int(port))), pumps):
            yield proxy


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
