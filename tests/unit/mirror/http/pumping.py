"""Both pumps without an event loop: a connection with small buffers, a transport with so much room."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Any

from mirror.http.pump import SocketPump, TransportPump
from tests.unit.mirror.open_files import open_file_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mirror.http.response import Piece
    from mirror.shared.bandwidth import Bandwidth
    from mirror.tree.opening import NotTheCheckedFileError

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
BODY = bytes(range(256)) * 16384
# turns of the loop after which a transfer that has not ended never will
MANY_TURNS = 2000
A_WHILE_S = 0.01


class Handle:
    """A call that was asked for."""

    def __init__(self, call: Callable[[], object], due_s: float) -> None:
        self.call: Callable[[], object] | None = call
        self.due_s = due_s

    def cancel(self) -> None:
        self.call = None


class Loop:
    """The part of an event loop that a pump uses; time passes when nothing else is to be done."""

    def __init__(self) -> None:
        self.writers: dict[int, Callable[[], object]] = {}
        self.calls: list[Handle] = []
        self.now_s = 0.0

    def add_writer(self, descriptor: int, call: Callable[[], object]) -> None:
        self.writers[descriptor] = call

    def remove_writer(self, descriptor: int) -> bool:
        return self.writers.pop(descriptor, None) is not None

    def call_later(self, delay_s: float, call: Callable[[], object]) -> Handle:
        # timers have a granularity, as uvloop's have
        self.calls.append(Handle(call, self.now_s + (max(delay_s, 0.001) if delay_s else 0.0)))
        return self.calls[-1]

    def call_soon(self, call: Callable[[], object]) -> Handle:
        return self.call_later(0.0, call)

    def turn(self) -> bool:
        """Do what is due; returns False when nothing is left to be done."""
        waiting, self.calls = sorted(self.calls, key=lambda handle: handle.due_s), []
        waiting = [handle for handle in waiting if handle.call is not None]
        writers = list(self.writers.values())
        if not waiting and not writers:
            return False
        for call in writers:
            call()
        for handle in waiting:
            self.now_s = max(self.now_s, handle.due_s)
            if handle.call is not None:
                handle.call()
        return True


class Watcher:
    """Whoever a response is sent for."""

    def __init__(self) -> None:
        self.content_bytes = 0
        self.signs_of_life = 0
        self.ends: list[str] = []

    def progressed(self, content_bytes: int) -> None:
        self.content_bytes += content_bytes
        self.signs_of_life += 1

    def finished(self) -> None:
        self.ends.append("finished")

    def broke(self, reason: str) -> None:
        self.ends.append(reason)

    def spoiled(self, error: NotTheCheckedFileError) -> None:
        self.ends.append(error.reason)


class Wire:
    """A TCP connection with small buffers, unless it is said otherwise, and a pump at one end of it."""

    def __init__(self, file: Path, *, small: bool = True) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.socket()
            if small:
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            self.client.connect(listener.getsockname())
            self.out, _ = listener.accept()
        if small:
            self.out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        self.out.setblocking(False)
        self.client.setblocking(False)
        self.file = file
        self.loop = Loop()
        self.watcher = Watcher()
        self.received = bytearray()

    def pump(self, pieces: Sequence[Piece], *, bandwidth: Bandwidth | None = None) -> SocketPump:
        loop: Any = self.loop
        return SocketPump(loop, self.out, HEAD, pieces, open_file_at(self.file), self.watcher, bandwidth)

    def read(self) -> None:
        if not self.loop.writers:
            # the pump waits for what the kernel does, in a time that is not the loop's
            select.select([self.client], [], [], A_WHILE_S)
        try:
            while data := self.client.recv(65536):
                self.received += data
        except BlockingIOError:
            pass

    def run(self) -> None:
        """Let the client read until the pump has come to its end."""
        for _ in range(MANY_TURNS):
            if self.watcher.ends:
                break
            self.loop.turn()
            self.read()
        assert self.watcher.ends, "the transfer never ends"
        self.out.shutdown(socket.SHUT_WR)
        self.client.setblocking(True)
        while data := self.client.recv(65536):
            self.received += data

    def close(self) -> None:
        self.client.close()
        self.out.close()


class Transport:
    """A transport that has room for so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.sent = bytearray()

    def write(self, data: bytes) -> None:
        self.sent += data
        self.room -= len(data)

    def is_full(self) -> bool:
        return self.room <= 0


def secure_pump(
    transport: Any, loop: Any, file: Path, pieces: Sequence[Piece], watcher: Watcher, bandwidth: Bandwidth | None = None
) -> TransportPump:
    return TransportPump(loop, transport, HEAD, pieces, open_file_at(file), watcher, bandwidth, full=transport.is_full)
