"""An HTTP upstream on loopback that misbehaves on request, and remembers what it was asked.

Each path has a file and a list of faults: the first requests each meet one of them, in order, later ones are served
well (ranges, If-Range and conditions included). It answers CONNECT and absolute URLs too, so that it can play a proxy.
"""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

LAST_MODIFIED, LAST_MODIFIED_S = "Wed, 21 Oct 2015 07:28:00 GMT", 1445412480
RELAY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Cut:
    """Send the right head and the first bytes of the body, then close the connection."""

    after: int


@dataclass(frozen=True, slots=True)
class Stall:
    """Send the right head and the first bytes of the body, then nothing more; without `after` not even a head."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class Announce:
    """Send the whole under a Content-Length that is wrong, then close the connection."""

    length: int


@dataclass(frozen=True, slots=True)
class Chunked:
    """Send the whole in chunks, without a length; with `cut` leave the last chunk out."""

    cut: bool = False


@dataclass(frozen=True, slots=True)
class IgnoreRange:
    """Send the whole with status 200 whatever was asked for."""


@dataclass(frozen=True, slots=True)
class IgnoreIfRange:
    """Send the range whatever If-Range says."""


@dataclass(frozen=True, slots=True)
class Replace:
    """From now on the file is another one."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Send exactly this."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Fault = Cut | Stall | Announce | Chunked | IgnoreRange | IgnoreIfRange | Replace | Reply


@dataclass(slots=True)
class ServedFile:
    """A file and its faults; without ETag and date when they are ""."""

    body: bytes
    etag: str = '"1"'
    last_modified: str = LAST_MODIFIED
    faults: list[Fault] = field(default_factory=list)
    password: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; `sent` counts the bytes of the body that were sent in answer."""

    method: str
    target: str
    headers: Mapping[str, str]
    sent: list[int]


class FaultyServer(ThreadingHTTPServer):
    """The server; `tunnels` maps the authority of a CONNECT to the address that is really opened, after what
    `before_tunnel` holds has been sent.

    `connections` counts those it took; `stalled` is released by every stall, which lasts until `released` is set.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, ServedFile] = {}
        self.asked: list[Asked] = []
        self.tunnels: dict[str, tuple[str, int]] = {}
        self.before_tunnel = b""
        self.connections = 0
        self.stalled = threading.Semaphore(0)
        self.released = threading.Event()
        self.lock = threading.Lock()
        self._scheme = "https" if tls else "http"
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        """Return the URL of a path."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def requests_for(self, path: str) -> list[Asked]:
        """Return what was asked for one path."""
        with self.lock:
            return [asked for asked in self.asked if urlsplit(asked.target).path == path]

    def bytes_sent(self, path: str) -> int:
        """Return the bytes of bodies that were sent for one path, over all requests."""
        return sum(sum(asked.sent) for asked in self.requests_for(path))

    def verify_request(self, *_: object) -> bool:
        """Count a connection."""
        self.connections += 1
        return True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is what many tests are about."""


@contextmanager
def faulty_server(tls: ssl.SSLContext | None = None) -> Iterator[FaultyServer]:
    """Run a server for as long as the context lasts."""
    server = FaultyServer(tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer()

    def do_CONNECT(self) -> None:
        self._record()
        address = self.server.tunnels.get(self.path)
        self.close_connection = True
        if address is None:
            self.send_error(407)
            return
        with socket.create_connection(address) as far:
            self.wfile.write(self.server.before_tunnel)
            self.send_response(200)
            self.end_headers()
            outward = threading.Thread(target=_relay, args=[self.connection, far], daemon=True)
            outward.start()
            _relay(far, self.connection)

    def _record(self) -> Asked:
        asked = Asked(self.command, self.path, {name.lower(): text for name, text in self.headers.items()}, [])
        with self.server.lock:
            self.server.asked.append(asked)
        return asked

    def _answer(self) -> None:
        self._sent = self._record().sent
        file = self.server.files.get(urlsplit(self.path).path)
        if file is None:
            self._reply(Reply(404))
            return
        if file.password and self.headers.get("Authorization") != file.password:
            self._reply(Reply(401, {"WWW-Authenticate": 'Basic realm="test"'}))
            return
        with self.server.lock:
            fault = file.faults.pop(0) if file.faults else None
        if isinstance(fault, Replace):
            file.body, file.etag = fault.body, fault.etag
        if isinstance(fault, Reply):
            self._reply(fault)
        elif fault == Stall():
            self._wait()
        else:
            self._serve(file, fault)

    def _reply(self, reply: Reply) -> None:
        if "Date" in reply.headers:
            self.send_response_only(reply.status)
        else:
            self.send_response(reply.status)
        for name, text in reply.headers.items():
            self.send_header(name, text)
        if reply.status != 304:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _serve(self, file: ServedFile, fault: Fault | None) -> None:
        if self._is_unchanged(file):
            self._reply(Reply(304, {"ETag": file.etag} if file.etag else {}))
            return
        first = 0 if isinstance(fault, IgnoreRange) else self._first_byte(file, fault)
        if first is not None and first >= len(file.body) > 0:
            self._reply(Reply(416, {"Content-Range": f"bytes */{len(file.body)}"}))
            return
        body = file.body[first or 0 :]
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(file.body) - 1}/{len(file.body)}")
        for name, text in (("ETag", file.etag), ("Last-Modified", file.last_modified)):
            if text:
                self.send_header(name, text)
        if isinstance(fault, Chunked):
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(fault.length if isinstance(fault, Announce) else len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body, fault)

    def _is_unchanged(self, file: ServedFile) -> bool:
        """Tell whether the client knows the file already; a tag counts before a date (RFC 9110, 13.2.2)."""
        if (tag := self.headers.get("If-None-Match")) is not None:
            return bool(file.etag) and tag == file.etag
        return bool(file.last_modified) and self.headers.get("If-Modified-Since") == file.last_modified

    def _first_byte(self, file: ServedFile, fault: Fault | None) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        # as RFC 9110, 13.1.5 wants it: a weak tag never matches, a date only exactly
        matches = condition is None or condition in (file.etag, file.last_modified)
        if wanted is None or not (matches or isinstance(fault, IgnoreIfRange)):
            return 0
        return int(wanted[1])

    def _send_body(self, body: bytes, fault: Fault | None) -> None:
        if isinstance(fault, Chunked):
            self._send(b"%x\r\n%s\r\n" % (len(body), body))
            self._send(b"" if fault.cut else b"0\r\n\r\n")
            self.close_connection = True
        elif isinstance(fault, (Cut, Stall)):
            self._send(body[: fault.after])
            if isinstance(fault, Stall):
                self._wait()
            self.close_connection = True
        else:
            self._send(body)
            self.close_connection = isinstance(fault, Announce)

    def _send(self, data: bytes) -> None:
        self._sent.append(len(data))
        self.wfile.write(data)
        self.wfile.flush()

    def _wait(self) -> None:
        self.server.stalled.release()
        self.server.released.wait()
        self.close_connection = True


def _relay(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(RELAY_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
