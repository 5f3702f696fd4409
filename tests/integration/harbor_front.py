"""What a Harbor adds to a registry, in front of a real one with token authentication.

    with harbor_front(registry, projects={"library"}) as harbor:
        push(harbor.host, root, password="s3cret")
        assert harbor.created == [{"project_name": "k8s", …}]

Follows Harbor 2.5: projects, robots, systeminfo and health below /api/v2.0; a token for a repository whose project is
missing opens nothing, and the registry then answers 401 with an empty challenge and a message that says it twice; a
request to the API that brings a cookie is refused for want of a CSRF token.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.integration.harbor_robots import HarborRobots, project_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.registries import Registry

PROJECT = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


@dataclass(slots=True)
class HarborFront:
    """A running front.

    Arguments:
        unhealthy: how many more times health is asked before it is well.
        admins: who may create projects.
        racing: projects that somebody else creates just before ours is.
        requests: `METHOD PATH STATUS` of the API, in order.
    """

    registry: Registry
    projects: set[str]
    unhealthy: int = 0
    admins: frozenset[str] = frozenset({"admin"})
    racing: frozenset[str] = frozenset()
    host: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    robots: HarborRobots = field(init=False)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert self.registry.tokens is not None
        self.robots = HarborRobots(self.registry.tokens, self.projects, self.admins)

    def api(self, method: str, url: str, user: str | None, body: bytes) -> tuple[int, Any]:
        """Return status and JSON for a request to the API; `user` is None where nobody or a wrong password asks."""
        parts = urlsplit(url)
        path = parts.path.removeprefix("/api/v2.0/")
        if path == "systeminfo":
            return 200, {"auth_mode": "db_auth", "harbor_version": "v2.5.0-35fd12c1"}
        if path == "health":
            self.unhealthy -= 1
            status = "healthy" if self.unhealthy < 0 else "unhealthy"
            return 200, {"status": status, "components": [{"name": "core", "status": status}]}
        if user is None:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "unauthorized"}]}
        if path.startswith("robots"):
            return self.robots.api(method, path, parse_qs(parts.query), user, body)
        if method == "GET":
            name = path.removeprefix("projects/")
            return (200, {"name": name, "project_id": project_id(name)}) if name in self.projects else (404, None)
        if method == "HEAD":
            (name,) = parse_qs(parts.query)["project_name"]
            return (200 if name in self.projects else 404), None
        return self._create(json.loads(body), user)

    def _create(self, wanted: dict[str, Any], user: str) -> tuple[int, Any]:
        name = wanted["project_name"]
        if user not in self.admins:
            return 403, {"errors": [{"code": "FORBIDDEN", "message": "only system admins may create projects"}]}
        if not PROJECT.fullmatch(name) or not isinstance(wanted["metadata"]["public"], str):
            return 400, {"errors": [{"code": "BAD_REQUEST", "message": "bad request"}]}
        known = name in self.projects or name in self.racing
        self.projects.add(name)
        if known:
            return 409, {"errors": [{"code": "CONFLICT", "message": f"project {name} already exists"}]}
        self.created.append(wanted)
        return 201, None


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
                (403, {"errors": [{"code": "FORBIDDEN", "message": "CSRF token invalid"}]})
                if "Cookie" in self.headers
                else self.front.api(self.command, self.path, self.user(), body)
            )
            self.front.requests.append(f"{self.command} {self.path} {status}")
            headers = {"Content-Type": "application/json", "Set-Cookie": "sid=1; Path=/"}
            self.send(status, headers, b"" if value is None else json.dumps(value).encode())
            return
        project = self.path.split("/")[2]
        if project and project not in self.front.projects and "Authorization" in self.headers:
            message = f"project {project} not found: project {project} not found"
            said = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": message}]}).encode()
            self.send(401, {"Www-Authenticate": ""}, said)
            return
        self.forward(body)

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
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
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
