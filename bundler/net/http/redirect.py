"""Where a redirect leads, and which parts of the request may go there. Pure; `transport` sends. RFC 9110, 15.4."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from bundler.errors import ErrorId, SourceError
from bundler.net.redact import redact
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.net.interface import Body, Credentials

MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_SECRET_FIELDS = frozenset({"authorization", "cookie", "proxy-authorization"})
_DEFAULT_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a chain of redirects; its repr shows no secret."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    credentials: Credentials | None = field(repr=False)
    body: bytes | Body | None = field(repr=False)


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port; ValueError when the port is not a number."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or _DEFAULT_PORT.get(parts.scheme.lower())


def next_hop(hop: Hop, status: int, headers: Mapping[str, str]) -> Hop | None:
    """Return the request that a response redirects to, or None when it is not a redirect.

    Credentials, an Authorization field and a body are sent only to the scheme, host and port that they were given for.
    Raises SourceError for a redirect that must not be followed.
    """
    location = headers.get("Location", "")
    if status not in _REDIRECTS or not location:
        return None
    target = _target(hop, location)
    if hop.body is not None and status in _KEEPS_METHOD and origin(target) != origin(hop.url):
        raise _refused(hop, tr("redirects a request that has a body to another host, {target}", target=redact(target)))
    following = replace(hop, url=target)
    if hop.method not in ("GET", "HEAD") and status not in _KEEPS_METHOD:
        following = replace(following, method="GET", body=None)
    if origin(target) != origin(hop.url):
        kept = {name: text for name, text in hop.headers.items() if name.lower() not in _SECRET_FIELDS}
        following = replace(following, headers=kept, credentials=None)
    return following


def too_many(url: str) -> SourceError:
    """Return the error for an endless chain of redirects."""
    return SourceError(
        ErrorId.SOURCE_INVALID,
        tr("redirects more than {max_redirects} times", max_redirects=MAX_REDIRECTS),
        where=redact(url),
        remedy=tr("Open the URL by hand to see where it leads, or name a mirror with --mirror."),
    )


def _target(hop: Hop, location: str) -> str:
    try:
        # http.client decodes fields as Latin-1, servers write UTF-8
        target = urljoin(hop.url, location.encode("latin-1", "replace").decode("utf-8", "replace").strip())
        scheme, host, _ = origin(target)
    except ValueError as error:
        raise _refused(hop, tr("redirects to something that is no URL")) from error
    if scheme not in _DEFAULT_PORT or not host:
        raise _refused(hop, tr("redirects to {target}, which is neither http nor https", target=redact(target)))
    if scheme == "http" and origin(hop.url)[0] == "https":
        raise _refused(hop, tr("redirects from https to plain http, {target}", target=redact(target)))
    return target


def _refused(hop: Hop, what: str) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_REFUSED,
        what,
        where=redact(hop.url),
        remedy=tr("Ask the operator of the server, or name another url or a --mirror."),
    )
