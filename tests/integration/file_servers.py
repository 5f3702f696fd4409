"""Plain servers of one directory on loopback, as a site may have any: HTTP of the standard library, FTP by vsftpd.

with http_site(directory) as url: ...     # http://127.0.0.1:PORT
with ftp_site(directory) as url: ...      # ftp://127.0.0.1:PORT
"""

from __future__ import annotations

import functools
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.integration.vsftpd import vsftpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_S = 0.01


class _QuietHandler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def http_site(directory: Path) -> Iterator[str]:
    """Serve a directory over HTTP; yields the URL without a slash at its end."""
    handler = functools.partial(_QuietHandler, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def ftp_site(directory: Path) -> Iterator[str]:
    """Serve a directory over anonymous FTP; yields the URL without a slash at its end."""
    scratch = directory.parent / f"{directory.name}.vsftpd"
    scratch.mkdir()
    with vsftpd(directory, scratch) as url:
        yield url
