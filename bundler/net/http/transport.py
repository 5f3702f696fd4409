"""`Transport` on requests: connections, TLS, proxies, redirects, and no decision about content.

No cookies, no netrc and no state between requests except the pool of open connections, so threads may share it.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.utils import get_environ_proxies, select_proxy

from bundler.errors import ErrorId, SourceError
from bundler.net.http.client_certs import ClientCertificate, certificate_for
from bundler.net.http.connection_errors import WHILE_READING, WHILE_SENDING, source_error, trust_failure
from bundler.net.http.content_coding import codings
from bundler.net.http.direct_response import DRAINED_BYTES, READ_BYTES
from bundler.net.http.messages import collected, is_loopback_name, standard_fields
from bundler.net.http.proxies import require_usable
from bundler.net.http.redirect import MAX_REDIRECTS, Hop, next_hop, too_many
from bundler.net.http.slow_server import CONNECT_TIMEOUT_S, IDLE_TIMEOUT_S
from bundler.net.http.tls import present, tls_error
from bundler.net.http.tls_alert import POOLS
from bundler.net.http.tls_trust import Trust
from bundler.net.redact import redact
from bundler.translation import tr

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bundler.net.interface import Body, Credentials

_POOLED_HOSTS = 32
_POOLED_CONNECTIONS_PER_HOST = 64


class RequestsTransport:
    """HTTP and HTTPS.

    Arguments:
        trust: whose certificates are verified, and how.
        connect_timeout_s: how long connecting may take, in seconds.
        idle_timeout_s: how long a server may be silent, in seconds.
        user_agent: the User-Agent field.
        client_certificates: presented to servers that request one, chosen again after each redirect; never to an https
            proxy.
        clock: the local time, with its zone; only for messages about certificates.

    Raises SourceError when a client certificate cannot be used.
    """

    def __init__(
        self,
        trust: Trust | None = None,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        user_agent: str = "bundler",
        client_certificates: Sequence[ClientCertificate] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._timeouts_s = (connect_timeout_s, idle_timeout_s)
        self._headers = standard_fields(user_agent)
        self._trust = trust = trust or Trust()
        self._clock = clock
        # one for plain http, and one for each context, made when the first server needs it
        self._adapters: dict[ssl.SSLContext | None, _Adapter] = {None: _Adapter(None, trust.verifying)}
        self._lock = threading.Lock()
        # connections opened with a client certificate are never used for requests without it, nor the reverse
        self._showing = {
            certificate: (
                _showing(trust.new_verifying(), certificate),
                _showing(trust.new_trusting(), certificate),
            )
            for certificate in client_certificates
        }
        if trust.has_insecure_hosts:
            # the operator asked for it; a warning per request would hide everything else
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def close(self) -> None:
        """Close all pooled connections."""
        with self._lock:
            for adapter in self._adapters.values():
                adapter.close()

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | Body | None = None,
    ) -> Iterator[HttpResponse]:
        """Send one request, following at most MAX_REDIRECTS redirects; see `interface.Transport`."""
        hop = Hop(method, url, dict(headers or {}), credentials, body)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(hop)
            try:
                following = next_hop(hop, response.status, response.headers)
            except SourceError:
                response.abandon()
                raise
            if following is None:
                break
            response.finish()
            hop = following
        else:
            raise too_many(url)
        try:
            yield response
        except BaseException:
            response.abandon()
            raise
        else:
            response.finish()

    def _send(self, hop: Hop) -> HttpResponse:
        credentials = hop.credentials
        auth = HTTPBasicAuth(*credentials.as_bytes()) if credentials else None
        proxies: dict[str, str] = {}
        shown = None
        try:
            insecure = self._trust.is_insecure(hop.url)
            proxies = environment_proxies(hop.url)
            require_usable(select_proxy(hop.url, proxies) or "", hop.url, os.environ)
            prepared = requests.Request(
                hop.method, hop.url, headers=self._headers | dict(hop.headers), auth=auth, data=hop.body
            ).prepare()
            shown = certificate_for(hop.url, self._showing)
            response = self._adapter(hop.url, shown).send(
                prepared, stream=True, timeout=self._timeouts_s, verify=not insecure, proxies=proxies
            )
        except WHILE_SENDING as error:
            distrust = trust_failure(error)
            if distrust is not None:
                direct = not select_proxy(hop.url, proxies)
                raise tls_error(distrust, hop.url, now=self._clock(), direct=direct, shown=shown) from error
            raise source_error(error, hop.url, idle_timeout_s=self._timeouts_s[1]) from error
        return HttpResponse(response, hop.url, self._timeouts_s[1])

    def _adapter(self, url: str, shown: ClientCertificate | None) -> _Adapter:
        """Return the adapter for a URL, which presents a certificate or none."""
        insecure = self._trust.is_insecure(url)
        proxy_context = self._trust.trusting if insecure else self._trust.verifying
        if urlsplit(url).scheme.lower() != "https":
            context = None
        elif shown:
            context = self._showing[shown][insecure]
        else:
            context = proxy_context()
        with self._lock:
            if context not in self._adapters:
                self._adapters[context] = _Adapter(context, proxy_context)
            return self._adapters[context]


class HttpResponse:
    """A response of requests whose body is not read yet; see `interface.Response`."""

    def __init__(self, response: requests.Response, url: str, idle_timeout_s: float) -> None:
        self._response = response
        self._url = url
        self._idle_timeout_s = idle_timeout_s

    @property
    def status(self) -> int:
        """Its status code."""
        return self._response.status_code

    @property
    def url(self) -> str:
        """The URL that it came from after redirects, without secrets."""
        return redact(self._url)

    @property
    def headers(self) -> Mapping[str, str]:
        """Its fields; names are looked up in any case."""
        return self._response.headers

    def chunks(self) -> Iterator[bytes]:
        """Yield bytes as soon as they arrive, so that an interruption loses none of them."""
        while True:
            try:
                chunk: bytes = self._response.raw.read1(READ_BYTES, decode_content=False)
            except WHILE_READING as error:
                raise source_error(error, self._url, idle_timeout_s=self._idle_timeout_s) from error
            if not chunk:
                return
            yield chunk

    def read(self, max_bytes: int) -> bytes:
        """Return the whole body; SourceError when it is longer than that."""
        return collected(self.chunks(), codings(self.headers), max_bytes, self.url)

    def finish(self) -> None:
        """Return the connection to the pool, reading a short rest of the body."""
        rest = self._response.raw.length_remaining
        if rest is not None and rest <= DRAINED_BYTES:
            self._response.raw.drain_conn()
        self._response.close()

    def abandon(self) -> None:
        """Close the connection."""
        self._response.close()


class _Adapter(HTTPAdapter):
    """requests' adapter with our own TLS context, for direct and proxied connections.

    Arguments:
        context: the context for the server, None for those without TLS.
        proxy_context: returns the context for connections to https proxies.
    """

    def __init__(self, context: ssl.SSLContext | None, proxy_context: Callable[[], ssl.SSLContext]) -> None:
        self._context = context
        self._proxy_context = proxy_context
        super().__init__(pool_connections=_POOLED_HOSTS, pool_maxsize=_POOLED_CONNECTIONS_PER_HOST)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **settings: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **settings)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        manager = super().proxy_manager_for(
            proxy, ssl_context=self._context, proxy_ssl_context=self._proxy_context(), **settings
        )
        manager.pool_classes_by_scheme = POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the context has the authorities; requests would add its own collection."""


def _showing(context: ssl.SSLContext, certificate: ClientCertificate) -> ssl.SSLContext:
    try:
        present(context, certificate)
    except ValueError as error:
        raise SourceError(
            ErrorId.SOURCE_TLS,
            tr("has no client certificate that can be used: {error}", error=error),
            where=certificate.prefix,
            remedy=tr("Give --client-cert readable PEM files of a certificate and its key."),
        ) from error
    return context


def environment_proxies(url: str) -> dict[str, str]:
    """Return the proxies of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY for a URL; none for loopback."""
    host = urlsplit(url).hostname or ""
    return {} if is_loopback_name(host) else dict(get_environ_proxies(url, no_proxy=None))
