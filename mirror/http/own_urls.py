"""The mirror's own URLs, below `/-/`, and the pages that people see: health, metrics, client snippets, search.

Owns which URL shows what; what it looks like is `mirror.page`'s, what clients type is `mirror.client`'s.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from mirror.client.edge_part import edge_pieces
from mirror.client.edge_script import is_plain_host
from mirror.client.offer import offer_in
from mirror.client.pull_snippets import pull_snippets
from mirror.client.reach import Reach
from mirror.client.snippets import client_index, client_snippets
from mirror.http.comparison_urls import COMPARE, COMPARE_DATA, ComparisonUrls
from mirror.http.given_names import given_names
from mirror.http.health import METRICS_TYPE, health, metrics
from mirror.http.request_fields import host_name
from mirror.http.response import REVALIDATE, OutgoingResponse, ResponseFields, body_response, text_response
from mirror.page.languages import LANGUAGE_COOKIE, choose_language
from mirror.page.pages import image_in
from mirror.page.view import Asked, View
from mirror.registry.repositories import repository_index
from mirror.tree.image_contents import image_contents
from mirror.tree.served_bundle import BUNDLE_MARK

if TYPE_CHECKING:
    from mirror.client.reach import Snippet
    from mirror.http.exchange import Exchange
    from mirror.http.request_target import RequestTarget
    from mirror.http.thread_work import ThreadWork
    from mirror.page.pages import Pages
    from mirror.page.view import Rendered
    from mirror.tree.served import Directory
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site
    from mirror.worker.findings import Findings
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

HEALTH = "-/health"
METRICS = "-/metrics"
ASSETS = "-/assets/"
CLIENT = "-/client"
EDGE = "-/edge.sh"
IMAGE = "-/image/"
SEARCH = "-/search"
SEARCH_DATA = "-/search.json"
TEXT = "text/plain; charset=utf-8"
# nothing but what this mirror itself serves, and nothing inline
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_UNAUTHORIZED = 401
_YEAR_S = 365 * 24 * 3600
_PAGE_FIELDS: ResponseFields = [
    ("Cache-Control", REVALIDATE),
    ("Vary", "Accept-Language, Cookie"),
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
]


def is_own(path: str) -> bool:
    """Tell whether a path is one of the mirror's own; each bundle has its edge.sh below its address too."""
    return path == "-" or path.startswith("-/") or (path.startswith(BUNDLE_MARK) and path.partition("/")[2] == EDGE)


def is_open_to_all(target: RequestTarget) -> bool:
    """Tell whether a URL is answered without a login.

    Whoever watches the mirror has no account on it, and the page that asks for one has to look like something.
    """
    return target.path == HEALTH or target.path.startswith(ASSETS)


class OwnUrls:
    """Answers for one worker."""

    def __init__(self, worker: Worker, pages: Pages, findings: Findings) -> None:
        self._worker = worker
        self._pages = pages
        self._findings = findings
        self._comparison_urls = ComparisonUrls(worker)

    def response(self, exchange: Exchange, target: RequestTarget, serving: Serving) -> OutgoingResponse | None:
        """Return the response to a URL below `/-/`, or None when there is no such URL."""
        path = target.path
        if path in (COMPARE, COMPARE_DATA):
            return self._comparison(exchange, target, serving)
        if path == HEALTH:
            compared = [number for number, each in self._findings.comparisons().items() if each.is_over]
            faults = serving.quarantine.paths()
            status, text = health(self._worker.counters, serving.site, faults, serving.generation, compared)
            return body_response(status, text.encode(), "application/json", [("Cache-Control", "no-store")])
        if path == METRICS:
            text = metrics(self._worker.counters, serving.site)
            return body_response(200, text.encode(), METRICS_TYPE, [("Cache-Control", "no-store")])
        if path.startswith(ASSETS):
            asset = self._pages.asset(path.removeprefix(ASSETS))
            return None if asset is None else _rendered(exchange, 200, asset, _asset_fields(target))
        if path in (SEARCH, SEARCH_DATA):
            view = self._view(exchange, target, serving)
            render = self._pages.search if path == SEARCH else self._pages.search_data
            return self._page(exchange, view, render(serving.site, view))
        if path == CLIENT or path.startswith(f"{CLIENT}/"):
            return self._client(exchange, path.removeprefix(CLIENT).lstrip("/"), serving.site)
        if path.endswith(EDGE):
            address = path.removesuffix(EDGE).rstrip("/")
            return self._edge(exchange, serving.site.at(address) if address else serving.site.current)
        return None

    async def image(
        self, exchange: Exchange, target: RequestTarget, serving: Serving, threads: ThreadWork
    ) -> OutgoingResponse | None:
        """Return the page of an image, or None when there is no such image."""
        view = self._view(exchange, target, serving)
        bundle = serving.site.bundle(view.asked.bundle) if view.asked.bundle else serving.site.current
        item = None if bundle is None else image_in(bundle, target.path.removeprefix(IMAGE))
        if bundle is None or item is None:
            return None
        contents = await threads.read(partial(image_contents, bundle, item.digest))
        names = given_names(repository_index(serving.site), item.names, f"sha256:{item.digest}")
        view = replace(view, snippets=pull_snippets(names, view.reach))
        return self._page(exchange, view, self._pages.image(serving.site, bundle, item, contents, view))

    def directory(
        self, exchange: Exchange, target: RequestTarget, directory: Directory, serving: Serving
    ) -> OutgoingResponse:
        """Return the page of a directory."""
        view = self._view(exchange, target, serving)
        if not directory.path:
            # nowhere else is shown what to type
            view = replace(view, snippets=client_snippets(offer_in(serving.site), view.reach))
        return self._page(exchange, view, self._pages.directory(serving.site, directory, view))

    def problem(
        self, exchange: Exchange, target: RequestTarget, serving: Serving, status: int, more: ResponseFields
    ) -> OutgoingResponse:
        """Return what an error looks like: a page for a browser, a line for a program."""
        view = self._view(exchange, target, serving)
        plain = "text/html" not in exchange.fields.get(b"accept", "")
        # who is not known yet learns nothing of what is here
        site = serving.site if status != _UNAUTHORIZED else None
        path = f"/{target.path}" + ("/" if target.is_directory and target.path else "")
        page = self._pages.problem(status, view, path=path, site=site, plain=plain)
        fields = [field for field in _PAGE_FIELDS if field[0] != "Cache-Control"]
        return body_response(status, page.body, page.media_type, [*fields, ("Cache-Control", "no-store"), *more])

    def reach(self, exchange: Exchange) -> Reach:
        """Return how this client reaches the mirror: by the host that it named; one of HTTP/1.0 may name none."""
        settings = self._worker.settings
        authority = exchange.fields.get(b"host", "")
        port = authority.removeprefix(f"[{host_name(authority)}]").rpartition(":")[2] if authority else ""
        secure = settings.tls is not None
        http = int(port) if port.isdigit() and ":" in authority.rpartition("]")[2] else (443 if secure else 80)
        return Reach(
            host=host_name(authority) or "localhost",
            http=http,
            tls=secure,
            ftp=settings.ftp.port if settings.ftp is not None else None,
            login=settings.users is not None,
            registry=settings.registry.port if settings.registry is not None else None,
        )

    def _comparison(self, exchange: Exchange, target: RequestTarget, serving: Serving) -> OutgoingResponse | None:
        view = self._view(exchange, target, serving)
        if target.path == COMPARE_DATA:
            return self._comparison_urls.progress(view, serving)
        return self._comparison_urls.asked(exchange, view, serving) if exchange.method == "POST" else None

    def _client(self, exchange: Exchange, name: str, site: Site) -> OutgoingResponse | None:
        snippets: tuple[Snippet, ...] = client_snippets(offer_in(site), self.reach(exchange))
        fields: ResponseFields = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        if not name:
            return body_response(200, client_index(snippets).encode(), TEXT, fields)
        text = next((snippet.text for snippet in snippets if snippet.name == name), None)
        return None if text is None else body_response(200, text.encode(), TEXT, fields)

    def _edge(self, exchange: Exchange, bundle: ServedBundle | None) -> OutgoingResponse | None:
        if bundle is None:
            return None
        host = exchange.fields.get(b"host", "")
        fields: ResponseFields = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        if not is_plain_host(host):
            return text_response(400, "edge.sh needs a Host field with the name or address of the mirror.\n", fields)
        scheme = "http" if self._worker.settings.tls is None else "https"
        pieces = edge_pieces(bundle, f"{scheme}://{host}")
        size = str(sum(map(len, pieces)))
        return OutgoingResponse(200, [("Content-Type", TEXT), ("Content-Length", size), *fields], pieces)

    def _view(self, exchange: Exchange, target: RequestTarget, serving: Serving) -> View:
        asked = Asked.parse(target.query)
        cookie = _cookie(exchange, LANGUAGE_COOKIE)
        language = choose_language(asked.language or "", cookie, exchange.fields.get(b"accept-language", ""))
        comparisons = self._findings.comparisons()
        return View(
            language=language,
            asked=asked,
            reach=self.reach(exchange),
            faults=tuple(serving.quarantine.paths()),
            carry_language=asked.language is not None and cookie != asked.language,
            comparisons=comparisons,
        )

    def _page(self, exchange: Exchange, view: View, page: Rendered) -> OutgoingResponse:
        fields = list(_PAGE_FIELDS)
        language = view.asked.language
        if language is not None:
            fields.append(("Set-Cookie", f"{LANGUAGE_COOKIE}={language}; Path=/; Max-Age={_YEAR_S}; SameSite=Lax"))
        return _rendered(exchange, 200, page, fields)


def _rendered(exchange: Exchange, status: int, page: Rendered, fields: ResponseFields) -> OutgoingResponse:
    """Return a page, or 304 when the client has it already; a page has no parts, so nothing else is conditional."""
    tagged = [("ETag", page.etag), *fields]
    wanted = exchange.fields.get(b"if-none-match")
    tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")} if wanted is not None else set()
    if page.etag in tags or "*" in tags:
        return OutgoingResponse(304, tagged)
    return body_response(status, page.body, page.media_type, tagged)


def _asset_fields(target: RequestTarget) -> ResponseFields:
    # the page asks for them by their content's digest, so what it named never changes
    lasting = "public, max-age=31536000, immutable" if target.query else REVALIDATE
    return [("Cache-Control", lasting), ("X-Content-Type-Options", "nosniff")]


def _cookie(exchange: Exchange, name: str) -> str:
    try:
        found = SimpleCookie(exchange.fields.get(b"cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""
