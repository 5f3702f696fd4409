"""`Pages` behind the standard library's HTTP server, with the headers that the mirror sends: for browser tests."""

from __future__ import annotations

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

from mirror.client.reach import Reach, Snippet
from mirror.page.comparison_state import comparison_data
from mirror.page.languages import LANGUAGE_COOKIE, choose_language
from mirror.page.pages import Pages, image_in
from mirror.page.view import JSON, Asked, Rendered, View
from mirror.tree.image_contents import image_contents
from mirror.tree.served import Directory, File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.tree.comparison import Comparison
    from mirror.tree.site import Site

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def snippets_for(reach: Reach) -> tuple[Snippet, ...]:
    """Return a few snippets as the client layer makes them."""
    url = reach.http_url
    repo = f"[local]\nname=demo\nbaseurl={url}/yum/\nenabled=1\ngpgcheck=1\ngpgkey={url}/yum/RPM-GPG-KEY-centos-base\n"
    daemon = '{\n  "insecure-registries": ["' + f"{reach.host}:{reach.http}" + '"]\n}\n'
    return (
        Snippet("yum-http.repo", "yum", "Install from this mirror over HTTP", "通过 HTTP 从本站安装", repo, False,
                "/etc/yum.repos.d/bundle.repo"),
        Snippet("yum-http.sh", "yum", "Fetch the file and install", "下载配置文件并安装",
                f"curl -o /etc/yum.repos.d/bundle.repo {url}/-/client/yum-http.repo\nyum install docker-ce", True),
        Snippet("daemon.json", "docker", "Let Docker pull from this mirror", "让 Docker 从本站拉取", daemon, False,
                "/etc/docker/daemon.json"),
        Snippet("curl.sh", "curl", "Fetch one file, resumed where it broke off", "下载一个文件并续传",
                f"curl -C - -O {url}/kubeedge/keadm", True),
    )  # fmt: skip


class PageServer:
    """Serves a site's pages on a free port of loopback; files are answered without their bytes.

    Arguments:
        faults: listed files that are refused, as `Quarantine.paths` has them.
    """

    def __init__(self, site: Site, faults: Sequence[str] = ()) -> None:
        self.site = site
        self.faults = tuple(faults)
        self.pages = Pages()
        # how far comparisons are, by the bundle's number; a test changes it
        self.comparisons: dict[int, Comparison] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request as the mirror does."""
        path, _, query = request.path.partition("?")
        asked = Asked.parse(query)
        cookie = request.headers.get("Cookie", "").partition(f"{LANGUAGE_COOKIE}=")[2].partition(";")[0]
        language = choose_language(asked.language or "", cookie, request.headers.get("Accept-Language", ""))
        host, _, port = request.headers.get("Host", "").partition(":")
        reach = Reach(host, int(port), False, 21)
        carry = asked.language is not None and cookie != asked.language
        view = View(language, asked, reach, snippets_for(reach), self.faults, carry, dict(self.comparisons))
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        if asked.language is not None:
            headers["Set-Cookie"] = f"{LANGUAGE_COOKIE}={asked.language}; Path=/; Max-Age=31536000; SameSite=Lax"
        self._send(request, *self._route(unquote(path), view, headers), headers)

    def _route(self, path: str, view: View, headers: dict[str, str]) -> tuple[int, Rendered]:
        if path == "/-/search":
            return 200, self.pages.search(self.site, view)
        if path == "/-/search.json":
            return 200, self.pages.search_data(self.site, view)
        if path.startswith("/-/image/"):
            bundle = self.site.bundle(view.asked.bundle) or self.site.current
            item = None if bundle is None else image_in(bundle, path.removeprefix("/-/image/"))
            if bundle is None or item is None:
                return 404, self.pages.problem(404, view, path=path)
            contents = image_contents(bundle, item.digest)
            return 200, self.pages.image(self.site, bundle, item, contents, replace(view, snippets=()))
        if path == "/-/compare.json":
            bundle = self.site.bundle(view.asked.bundle)
            assert bundle is not None
            return 200, Rendered.of(comparison_data(bundle, view), JSON)
        if path.startswith("/-/assets/"):
            asset = self.pages.asset(path.removeprefix("/-/assets/"))
            return (200, asset) if asset else (404, self.pages.problem(404, view, path=path))
        found = self.site.find(path.strip("/"))
        if isinstance(found, File):
            return 200, Rendered.of(b"", found.media_type)
        if isinstance(found, Directory):
            if not path.endswith("/"):
                headers["Location"] = f"{path}/"
                return 301, Rendered.of(b"", "text/plain")
            return 200, self.pages.directory(self.site, found, view)
        return 404, self.pages.problem(404, view, path=path)

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, rendered: Rendered, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Type", rendered.media_type)
        request.send_header("Content-Length", str(len(rendered.body)))
        request.end_headers()
        request.wfile.write(rendered.body)
