"""`/-/compare`: have a bundle's digests compared while it is served, and see how far that is.

Whoever may read may ask for it, and no page of another site in his name. What it can cost is bounded elsewhere: one
comparison at a time, none of what was compared already (`mirror.shared.comparisons`), all of it at the lowest priority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.http.response import OutgoingResponse, body_response, text_response
from mirror.page.comparison_state import comparison_data
from mirror.page.links import bundle_url
from mirror.page.view import JSON
from mirror.worker.control import Message

if TYPE_CHECKING:
    from mirror.http.exchange import Exchange
    from mirror.http.request_target import RequestTarget
    from mirror.page.view import View
    from mirror.tree.served_bundle import ServedBundle
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

COMPARE = "-/compare"
COMPARE_DATA = "-/compare.json"


def is_asked_to_compare(exchange: Exchange, target: RequestTarget | None) -> bool:
    """Tell whether this is the one request that does something."""
    return exchange.method == "POST" and target is not None and target.path == COMPARE


class ComparisonUrls:
    """Answers for one worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def asked(self, exchange: Exchange, view: View, serving: Serving) -> OutgoingResponse | None:
        """Have a bundle compared, unless it was, and lead to its page; None where there is no such bundle."""
        bundle = _bundle(view, serving)
        if bundle is None:
            return None
        if not self._is_of_our_own(exchange):
            return text_response(403, "A page of another site asks for this.\n")
        if bundle.verified is None and self._worker.comparisons.find(bundle.fingerprint) is None:
            wait_s = self._worker.comparisons.claim(bundle.fingerprint)
            if wait_s:
                later = [("Retry-After", str(round(wait_s) + 1))]
                return text_response(429, "One comparison at a time, and a pause between two.\n", later)
            self._worker.control.send(Message("compare", text=bundle.address))
        return OutgoingResponse(303, [("Location", bundle_url(serving.site, bundle, view)), ("Content-Length", "0")])

    def progress(self, view: View, serving: Serving) -> OutgoingResponse | None:
        """Return how far it is, for the page's script and other programs; None where there is no such bundle."""
        bundle = _bundle(view, serving)
        if bundle is None:
            return None
        text = comparison_data(bundle, view)
        return body_response(200, text.encode(), JSON, [("Cache-Control", "no-store")])

    def _is_of_our_own(self, exchange: Exchange) -> bool:
        """Tell whether a request came from a page of this mirror, or from a program (RFC 6454, 7)."""
        origin = exchange.fields.get(b"origin")
        scheme = "http" if self._worker.settings.tls is None else "https"
        return origin is None or origin.lower() == f"{scheme}://{exchange.fields.get(b'host', '')}".lower()


def _bundle(view: View, serving: Serving) -> ServedBundle | None:
    return serving.site.bundle(view.asked.bundle) if view.asked.bundle else serving.site.current
