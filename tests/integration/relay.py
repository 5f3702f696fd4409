"""Connections that are passed on to a real server by what a test makes of their two directions."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pump = Callable[[], object]


@contextmanager
def relayed(
    listener: socket.socket,
    connect: Callable[[], socket.socket],
    pumps: Callable[[socket.socket, socket.socket], tuple[Pump, Pump]],
) -> Iterator[None]:
    """Accept connections until the context ends, which ends all of them.

    Arguments:
        connect: makes one to the server.
        pumps: client, server -> what passes on one direction and returns at its end, for each of the two.
    """
    open_sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = connect()
            open_sockets.extend((client, server))
            for pump in pumps(client, server):
                threads.append(threading.Thread(target=pump))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield
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
