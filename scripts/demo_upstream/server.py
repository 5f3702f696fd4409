"""Serve a tree of resources on loopback: GET and HEAD, one range, If-Range, If-None-Match (RFC 9110)."""

from __future__ import annotations

import json
import re
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING

from scripts.demo_upstream.files import files
from scripts.demo_upstream.images import images
from scripts.demo_upstream.rpms import rpms
from scripts.demo_upstream.tree import CHANGED_S, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

SILENT_CLIENT_S = 30
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def demo_tree() -> dict[str, Resource]:
    """Return everything that the demo's manifest names."""
    return {**files(), **images(), **rpms()}


class Upstream(ThreadingHTTPServer):
    """A server over one tree; `address` is the HOST:PORT that it listens on."""

    daemon_threads = True

    def __init__(self, tree: Mapping[str, Resource], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.tree = tree

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of HTTPServer, which can hang on a machine without a resolver."""
        TCPServer.server_bind(self)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.socket.getsockname()[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"
    timeout = SILENT_CLIENT_S
    # Header and body leave in one packet each; without this a small answer waits for the client's delayed ACK.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        resource = self.server.tree.get(self.path.partition("?")[0])
        if resource is None:
            self._absent(with_body=with_body)
            return
        etag, changed = f'"{resource.digest}"', formatdate(CHANGED_S, usegmt=True)
        first, last = self._wanted(len(resource.content), etag, changed)
        fields = {"ETag": etag, "Last-Modified": changed, "Accept-Ranges": "bytes"}
        if self.path.startswith("/v2/"):
            fields |= {"Docker-Content-Digest": resource.digest, "Docker-Distribution-Api-Version": "registry/2.0"}
        if self.headers.get("If-None-Match") == etag:
            self._send(HTTPStatus.NOT_MODIFIED, fields, None)
        elif first is None:
            content = resource.content if with_body else None
            fields |= {"Content-Type": resource.media_type, "Content-Length": str(len(resource.content))}
            self._send(HTTPStatus.OK, fields, content)
        elif first >= len(resource.content):
            fields |= {"Content-Range": f"bytes */{len(resource.content)}", "Content-Length": "0"}
            self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, fields, None)
        else:
            part = resource.content[first : last + 1]
            span = f"bytes {first}-{first + len(part) - 1}/{len(resource.content)}"
            fields |= {"Content-Type": resource.media_type, "Content-Range": span, "Content-Length": str(len(part))}
            self._send(HTTPStatus.PARTIAL_CONTENT, fields, part if with_body else None)

    def _wanted(self, size: int, etag: str, changed: str) -> tuple[int | None, int]:
        """Return the first and last byte asked for; None for the whole (also when If-Range does not hold)."""
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None or self.headers.get("If-Range", etag) not in (etag, changed):
            return None, size - 1
        return int(asked[1]), int(asked[2]) if asked[2] else size - 1

    def _absent(self, *, with_body: bool) -> None:
        code = "MANIFEST_UNKNOWN" if "/manifests/" in self.path else "BLOB_UNKNOWN"
        body = json.dumps({"errors": [{"code": code, "message": f"{self.path} is not here"}]}).encode()
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._send(HTTPStatus.NOT_FOUND, fields, body if with_body else None)

    def _send(self, status: HTTPStatus, fields: Mapping[str, str], content: bytes | None) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if content is not None:
            self.wfile.write(content)
