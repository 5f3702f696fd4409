"""An HTTP proxy before a real registry or Harbor that answers some requests itself, badly, and notes when each came.

    fault = Fault("PUT /v2/demo/app/manifests/", status=429, headers={"Retry-After": "1"})
    with faulty_front(registry.host, fault) as front:
        push(front.host, …)

A fault is met by the first requests whose `METHOD PATH` begins like it, as often as it says; all others are passed on.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PIECE_BYTES = 16 * 1024
FIRST_ERROR = 300
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


@dataclass(slots=True)
class Fault:
    """What becomes of requests that begin like `request`.

    Arguments:
        times: how many of them.
        status, headers, code, message: what is answered, in a registry's form.
        lost: pass the request on, and close the connection in place of the answer.
        without: a field that is taken out of the true answer.
        instead: the status that is told in place of the true answer's, which is a success.
    """

    request: str
    times: int = 1
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = "UNKNOWN"
    message: str = "unknown"
    lost: bool = False
    without: str = ""
    instead: int = 0


@dataclass(slots=True)
class FaultyFront:
    """A running front.

    Arguments:
        pause_s: how long it waits after each piece of a request's body: a slow line.
        requests: `METHOD PATH STATUS`, 0 where no answer was given; `at_s` has when each came, on one clock.
    """

    target: str
    faults: tuple[Fault, ...]
    pause_s: float = 0.0
    host: str = ""
    requests: list[str] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, request: str) -> Fault | None:
        """Return what this request is to meet, and count it."""
        with self.lock:
            for fault in self.faults:
                if fault.times and request.startswith(fault.request):
                    fault.times -= 1
                    return fault
        return None

    def note(self, request: str, status: int, came_s: float) -> None:
        """Remember a request that was dealt with."""
        with self.lock:
            self.requests.append(f"{request} {status}")
            self.at_s.append(came_s)

    def count(self, request: str) -> int:
        """Return how many requests began like this."""
        return sum(line.startswith(request) for line in self.requests)


@contextmanager
def faulty_front(target: str, *faults: Fault, pause_s: float = 0.0) -> Iterator[FaultyFront]:
    """Run a front on a free loopback port."""
    front = FaultyFront(target, faults, pause_s)
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"front": front})) as server:
        front.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    front: ClassVar[FaultyFront]
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        came_s, request = time.monotonic(), f"{self.command} {self.path}"
        fault = self.front.fault(request)
        if fault is not None and fault.status:
            # as a front does that looks at the head alone; what still comes is not read
            body = json.dumps({"errors": [{"code": fault.code, "message": fault.message}]}).encode()
            self.front.note(request, fault.status, came_s)
            self.close_connection = True
            self.send(fault.status, {"Content-Type": "application/json", "Connection": "close", **fault.headers}, body)
            return
        status, headers, body = self.passed_on()
        if fault is not None and fault.lost:
            self.front.note(request, 0, came_s)
            self.close_connection = True
            return
        if fault is not None and fault.instead and status < FIRST_ERROR:
            status = fault.instead
        self.front.note(request, status, came_s)
        self.send(
            status, {name: value for name, value in headers.items() if fault is None or name != fault.without}, body
        )

    def passed_on(self) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.front.target)
        names = sorted({name for name in self.headers if name.lower() not in _HOP})
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name in names:
            connection.putheader(name, ", ".join(self.headers.get_all(name, ())))
        connection.endheaders()
        left = int(self.headers.get("Content-Length", "0"))
        while left:
            piece = self.rfile.read(min(PIECE_BYTES, left))
            connection.send(piece)
            left -= len(piece)
            if self.front.pause_s:
                time.sleep(self.front.pause_s)
        answer = connection.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        body = answer.read()
        connection.close()
        return answer.status, headers, body

    def send(self, status: int, headers: dict[str, Any], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def do_PATCH(self) -> None:
        self.answer()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""
