"""A registry that costs next to nothing, in a peer's place: what is pushed is thrown away unread, blobs are zeros.

    python -m scripts.benchmarks.stub_registry PORT BLOB_BYTES

So the limit of a client shows, which a real registry hides by hashing what it gets. It remembers which blobs and
manifests were sent; `DELETE /` makes it forget them. Contents are neither kept nor checked.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys
import threading
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

MAX_HEAD_BYTES = 64 * 1024
# never written to, so that no memory is taken for it; what the kernel throws away in one call
_UNSEEN = bytearray(4 * 1024 * 1024)
_FIELD = re.compile(rb"\r\n(content-length|transfer-encoding|content-type|expect): *([^\r\n]*)", re.IGNORECASE)
_SESSION = "/v2/{repository}/blobs/uploads/1"
_PLACE = re.compile(r"/v2/(.+)/(blobs|manifests)/(.+)")


class _Request(NamedTuple):
    method: str
    target: str
    fields: dict[str, str]


class _Registry:
    """What was sent: digests of blobs, and the digest and type of manifests by repository and name."""

    def __init__(self, blob_bytes: int) -> None:
        self.blob_bytes = blob_bytes
        self.zeros = os.memfd_create("zeros")
        os.truncate(self.zeros, blob_bytes)
        self.blobs: set[str] = set()
        self.manifests: dict[tuple[str, str], tuple[str, str]] = {}

    def forget(self) -> None:
        self.blobs.clear()
        self.manifests.clear()


class _Connection:
    """One client's connection; `_came` is what was read and belongs to what follows."""

    def __init__(self, registry: _Registry, connection: socket.socket) -> None:
        self._registry = registry
        self._connection = connection
        self._came = b""

    def serve(self) -> None:
        with self._connection, suppress(ConnectionError):
            while (request := self._request()) is not None:
                self._answer(request)

    def _request(self) -> _Request | None:
        while b"\r\n\r\n" not in self._came:
            if len(self._came) > MAX_HEAD_BYTES or not (piece := self._connection.recv(MAX_HEAD_BYTES)):
                return None
            self._came += piece
            if not self._came[:1].isalpha():
                # TLS, which clients try first
                return None
        head, _, self._came = self._came.partition(b"\r\n\r\n")
        method, target, _ = head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
        fields = {name.decode().lower(): value.decode("latin-1") for name, value in _FIELD.findall(head)}
        return _Request(method, target, fields)

    def _answer(self, request: _Request) -> None:
        if "expect" in request.fields:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        path = urlsplit(request.target).path
        matched = _PLACE.fullmatch(path)
        if request.method == "DELETE":
            self._registry.forget()
            self._send(202)
        elif matched is None:
            self._discard(request)
            self._send(200)
        elif matched[2] == "manifests":
            self._manifest(request, matched[1], matched[3])
        elif matched[3].startswith("uploads/") or matched[3] == "uploads":
            self._upload(request, matched[1])
        else:
            self._blob(request, matched[3])

    def _manifest(self, request: _Request, repository: str, name: str) -> None:
        manifests = self._registry.manifests
        if request.method == "PUT":
            digest = f"sha256:{hashlib.sha256(self._read(request)).hexdigest()}"
            for known in (name, digest):
                manifests[repository, known] = digest, request.fields.get("content-type", "")
            self._send(201, Docker_Content_Digest=digest, Location=request.target)
        elif (repository, name) in manifests:
            digest, media_type = manifests[repository, name]
            self._send(200, Docker_Content_Digest=digest, Content_Type=media_type)
        else:
            self._send(404)

    def _upload(self, request: _Request, repository: str) -> None:
        self._discard(request)
        digests = parse_qs(urlsplit(request.target).query).get("digest", [])
        self._registry.blobs.update(digests)
        place = _SESSION.format(repository=repository)
        self._send(201 if digests else 202, Location=place, Range="0-0", Docker_Upload_UUID="1")

    def _blob(self, request: _Request, digest: str) -> None:
        if request.method == "HEAD" and digest not in self._registry.blobs:
            self._send(404)
            return
        size = self._registry.blob_bytes
        self._send(200, length=size, Docker_Content_Digest=digest)
        offset = 0
        while request.method == "GET" and offset < size:
            offset += os.sendfile(self._connection.fileno(), self._registry.zeros, offset, size - offset)

    def _send(self, status: int, length: int = 0, **fields: str) -> None:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        head = "\r\n".join([f"HTTP/1.1 {status} Stub", *lines, f"Content-Length: {length}"])
        self._connection.sendall(f"{head}\r\n\r\n".encode("latin-1"))

    # what comes with a request

    def _discard(self, request: _Request) -> None:
        if "chunked" in request.fields.get("transfer-encoding", ""):
            while size := int(self._line().partition(b";")[0], 16):
                self._skip(size + len("\r\n"))
            self._skip(len("\r\n"))
        else:
            self._skip(int(request.fields.get("content-length", "0")))

    def _skip(self, size: int) -> None:
        taken = min(size, len(self._came))
        self._came, size = self._came[taken:], size - taken
        while size:
            # the kernel throws the bytes away: tcp(7), MSG_TRUNC
            count = self._connection.recv_into(_UNSEEN, min(size, len(_UNSEEN)), socket.MSG_TRUNC)
            if not count:
                raise ConnectionError("the client is gone")
            size -= count

    def _read(self, request: _Request) -> bytes:
        left = int(request.fields.get("content-length", "0"))
        while len(self._came) < left:
            if not (piece := self._connection.recv(left - len(self._came))):
                raise ConnectionError("the client is gone")
            self._came += piece
        data, self._came = self._came[:left], self._came[left:]
        return data

    def _line(self) -> bytes:
        while b"\r\n" not in self._came:
            if not (piece := self._connection.recv(64)):
                raise ConnectionError("the client is gone")
            self._came += piece
        line, _, self._came = self._came.partition(b"\r\n")
        return line


def serve(port: int, blob_bytes: int) -> None:
    """Serve until the process is ended."""
    registry = _Registry(blob_bytes)
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_Connection(registry, connection).serve, daemon=True).start()


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
