"""The host that runs the tests, changed by `bundler.host`: real programs, files and ports."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bundler.host.interface import CommandResult
from bundler.host.local_host import LocalHost

pytestmark = pytest.mark.integration


def test_what_it_does(tmp_path: Path) -> None:
    host = LocalHost()
    path = str(tmp_path / "deep" / "file")
    assert host.read(path) is None
    host.write(path, b"text", 0o600)
    assert (host.read(path), host.exists(path), Path(path).stat().st_mode & 0o777) == (b"text", True, 0o600)
    host.remove(path)
    host.remove(path)
    assert not host.exists(path)
    missing = host.run(("no-such-program-here",))
    assert (missing.code, missing.stderr) == (127, "no-such-program-here: No such file or directory")
    assert host.run(("sh", "-c", "echo out; echo err >&2; exit 3")) == CommandResult(3, "out\n", "err\n")
    assert host.is_root() is (os.geteuid() == 0)
    assert not host.listens("127.0.0.1", 1)
    assert host.http_get("127.0.0.1", 1, "/-/health", tls=True) is None


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()
        self.wfile.write(self.path.encode() + b" is red\xff")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        del format, args


def test_what_answers_on_a_port() -> None:
    host = LocalHost()
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            assert host.listens("127.0.0.1", port)
            answer = host.http_get("127.0.0.1", port, "/-/health", tls=False)
            assert answer is not None
            assert (answer.status, answer.text) == (503, "/-/health is red\ufffd")
            assert answer.date is not None
            assert abs(answer.date - host.now()) < 3600
            assert host.http_get("127.0.0.1", port, "/", tls=True) is None
        finally:
            server.shutdown()
