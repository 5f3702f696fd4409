"""A real nginx in the foreground, ended by its pid; it yields once it serves.

with nginx(tree, tmp_path) as server:
    ...                                     # server.url == "http://127.0.0.1:PORT"
"""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# not on every user's PATH
NGINX = "/usr/sbin/nginx"
LONGEST_END_S = 30
READY = "start worker process "


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running server: its port, the URL of its root, and the directory that it serves as `/-/client/`."""

    port: int
    url: str
    client: Path
    access_log: Path

    def requests(self) -> list[str]:
        """Return `METHOD PATH STATUS` of every request that has been answered."""
        return self.access_log.read_text().splitlines() if self.access_log.exists() else []


@contextmanager
def nginx(
    root: Path,
    scratch: Path,
    *,
    chain: Path | None = None,
    users: Mapping[str, str] | None = None,
    directives: str = "",
    family: socket.AddressFamily = socket.AF_INET,
) -> Iterator[Nginx]:
    """Serve a directory until the context ends.

    Arguments:
        scratch: a directory of the test's, for configuration and logs.
        chain: PEM file with certificate and key: the port then speaks TLS.
        users: name -> password of those who may enter.
        directives: further lines of the server's block.
    """
    place = scratch / "nginx"
    (place / "client").mkdir(parents=True)
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.create_server((address, 0), family=family) as free:
        port = free.getsockname()[1]
    host = address if family == socket.AF_INET else f"[{address}]"
    lines = [f"listen {host}:{port}{' ssl' if chain else ''};", f"root {root};"]
    if chain:
        lines += [f"ssl_certificate {chain};", f"ssl_certificate_key {chain};"]
    if users:
        (place / "users").write_text("".join(f"{name}:{{PLAIN}}{secret}\n" for name, secret in users.items()))
        lines += ["auth_basic mirror;", f"auth_basic_user_file {place / 'users'};"]
    lines += [f"location /-/client/ {{ alias {place / 'client'}/; }}", directives]
    config = place / "nginx.conf"
    config.write_text(_CONFIG.format(place=place, server="\n    ".join(lines)))
    command = [NGINX, "-p", str(place), "-c", str(config)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        said = _until_it_serves(server.stderr)
        drain = threading.Thread(target=said.extend, args=(server.stderr,))
        drain.start()
        try:
            scheme = "https" if chain else "http"
            yield Nginx(port, f"{scheme}://{host}:{port}", place / "client", place / "access.log")
        finally:
            server.terminate()
            server.wait(LONGEST_END_S)
            drain.join()


def _until_it_serves(log: IO[str]) -> list[str]:
    said: list[str] = []
    for line in log:
        said.append(line)
        if READY in line:
            return said
    raise AssertionError("nginx ended before it served:\n" + "".join(said))


_CONFIG = """
daemon off;
user root;
worker_processes 1;
pid {place}/pid;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{
  log_format short '$request_method $uri $status';
  access_log {place}/access.log short;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  default_type application/octet-stream;
  server {{
    {server}
  }}
}}
"""
