"""What a Harbor adds to a registry, in front of a real one with token authentication.

    with harbor_front(registry, projects={"library"}) as harbor:
        push(harbor.host, root, password="s3cret")
        assert harbor.created == [{"project_name": "k8s", …}]

Answers as Harbor 2.5.0 and 2.12.4 were seen to: `harbor_api.py` below /api/v2.0. A token for a repository whose project
is missing opens nothing, and the registry then answers 401 with an empty challenge and a message that says it twice; to
who has no right in a project it answers 401 with a challenge for Basic; quotas, immutable tags and the read-only mode
are refused with codes and words of their own; a request to the API that brings a cookie is refused for want of a CSRF
token.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from tests.integration.harbor_api import HarborFront, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.registries import Registry

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


@contextmanager
def harbor_front(registry: Registry, **settings: Any) -> Iterator[HarborFront]:
    """Run a front on a free loopback port."""
    front = HarborFront(registry, **{"projects": {"library"}, **settings})
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
    front: ClassVar[HarborFront]
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.sent()
        if not self.path.startswith("/v2/"):
            status, value = (
                said(403, "FORBIDDEN", "CSRF token invalid")
                if "Cookie" in self.headers
                else self.front.api(self.command, self.path, self.user(), body)
            )
            self.front.requests.append(f"{self.command} {self.path} {status}")
            headers = {"Content-Type": "application/json", "Set-Cookie": "sid=1; Path=/"}
            self.send(status, headers, b"" if value is None else json.dumps(value).encode())
            return
        refused = self.refusal(len(body))
        if refused is not None:
            status, value, challenge = refused
            self.send(status, challenge, json.dumps(value).encode())
            return
        self.forward(body)

    def refusal(self, size: int) -> tuple[int, Any, dict[str, str]] | None:
        """Return status, JSON and the challenge of a refusal by Harbor's core, None for what it passes on."""
        segments = urlsplit(self.path).path.split("/")
        project, changes = segments[2], self.command not in ("GET", "HEAD")
        if not project or "Authorization" not in self.headers:
            return None
        if project not in self.front.projects:
            words = f"project {project} not found"
            return *said(401, "UNAUTHORIZED", f"{words}: {words}"), {"Www-Authenticate": ""}
        repository = "/".join(segments[2:-2]).removesuffix("/blobs")
        mine = self.front.rights.get(self.user() or "")
        if mine is not None and project not in mine:
            words = f"unauthorized to access repository: {repository}, action: {'push' if changes else 'pull'}"
            return *said(401, "UNAUTHORIZED", f"{words}: {words}"), {"Www-Authenticate": 'Basic realm="harbor"'}
        if changes and self.front.read_only:
            return *self.front.frozen(), {}
        if self.command == "PUT" and (words := self.front.over_quota(project, size)):
            return *said(403, "DENIED", words), {}
        if self.command == "PUT" and segments[-2] == "manifests" and f"{repository}:{segments[-1]}" in self.front.fixed:
            words = f"Failed to process request due to '{repository}:{segments[-1]}' configured as immutable."
            return *said(412, "PRECONDITION", words), {}
        return None

    def sent(self) -> bytes:
        """Read what came with the request; engines send layers in chunks."""
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

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

    def do_DELETE(self) -> None:
        self.answer()

    def user(self) -> str | None:
        """Return who asks, by a password or by a token; None for nobody and for a wrong password."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            claims = value.split(".")[1]
            return str(json.loads(base64.urlsafe_b64decode(f"{claims}=="))["sub"])
        name, _, password = base64.b64decode(value).decode().partition(":") if kind == "Basic" else ("", "", "")
        tokens = self.front.registry.tokens
        return tokens.check(name, password) if tokens else None

    def forward(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.front.registry.host)
        # engines name what they accept in several fields; the last one alone would mean another format
        names = sorted({name for name in self.headers if name.lower() not in _HOP})
        passed = {name: ", ".join(self.headers.get_all(name, ())) for name in names}
        connection.request(self.command, self.path, body, passed)
        answer = connection.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        self.send(answer.status, headers, answer.read())
        connection.close()

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""
