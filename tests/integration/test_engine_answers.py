"""Whatever answers where an engine is expected: another program behind DOCKER_HOST is an error, never a traceback."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError
from bundler.push.docker import DockerEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration
VERSION = {"ApiVersion": "1.43", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64", "Version": "24"}
ASKED: dict[str, Callable[[DockerEngine], object]] = {
    "platforms": lambda engine: engine.platforms(),
    "image": lambda engine: engine.image_id("a/b:1"),
    "load": lambda engine: engine.load([b"archive"]),
    "insecure": lambda engine: engine.is_insecure("master:5000"),
    "distrust": lambda engine: engine.distrust("master:5000/a:1"),
    "tag": lambda engine: engine.tag(f"sha256:{'a' * 64}", "a/b", "1"),
    "untag": lambda engine: engine.untag("a/b:1"),
    "push": lambda engine: engine.push("a/b", "1", None, lambda _step: None),
}
ODD = (
    b"", b"x", b"[]", b"5", b"null", b'"x"', b"{}", b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe", b"NaN",
    b"1" * 5000, b'{"Id": 5}', b'{"Os": [], "Arch": {}}', b'{"error": {"a": 5}}', b'{"errorDetail": []}',
    b'{"message": 5}', b'{"id": {"a": 1}, "progressDetail": {"current": 1e999}}', b'{"aux": {"Digest": "x"}}',
    b'{"RegistryConfig": 5}',
    b'{"RegistryConfig": {"InsecureRegistryCIDRs": [5, "x/99"], "IndexConfigs": {"a": 5}}}',
)  # fmt: skip


@contextmanager
def answering(body: bytes, status: int, *, after: int) -> Iterator[str]:
    """Answer so many requests as an engine does, and all others with a body; yields the address."""
    asked = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            nonlocal asked
            asked += 1
            self._skip()
            code, answer = (200, json.dumps(VERSION).encode()) if asked <= after else (status, body)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(answer), answer) if answer else b"")
            self.wfile.write(b"0\r\n\r\n")

        # the names are the library's
        do_POST = do_DELETE = do_GET  # noqa: N815

        def _skip(self) -> None:
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def engine_at(address: str) -> DockerEngine:
    return DockerEngine({"DOCKER_HOST": address})


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("what", ASKED)
def test_an_answer_of_something_else_is_an_error_of_ours(what: str, status: int) -> None:
    for body in ODD:
        # some bodies are answers, and say that there is no such thing
        with answering(body, status, after=1) as address, suppress(BundlerError), engine_at(address) as engine:
            ASKED[what](engine)


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_what_has_no_version_is_no_engine(body: bytes) -> None:
    with answering(body, 200, after=0) as address, pytest.raises(BundlerError):
        engine_at(address)


def test_a_fault_of_what_is_sent_stays_what_it_is() -> None:
    def archive() -> Iterator[bytes]:
        yield b"some"
        raise TypeError("not the engine's")

    with (
        answering(b"{}", 200, after=1) as address,
        engine_at(address) as engine,
        pytest.raises(TypeError, match="not the engine's"),
    ):
        engine.load(archive())
