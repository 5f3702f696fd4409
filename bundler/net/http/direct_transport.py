"""`Transport` for the registry client: asks servers straight over http.client, and the rest by requests.

A push in which all is there asks some dozen questions, and a pull reads some dozen blobs: loading requests takes longer
than asking, and each of its requests a millisecond more. So it is loaded for what it is needed for: a proxy, an unusual
URL, and a failure before an answer has come to a question, which it meets again and tells. A body is sent once: a
failure meanwhile is the caller's. docs/adr/0027. Owns that choice; refuses to know client certificates.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import select
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.final_response import FinalResponse
from bundler.net.http.deferred_transport import DeferredTransport
from bundler.net.http.direct_response import DirectResponse, HeaderFields
from bundler.net.http.messages import contradicting, is_loopback_name, standard_fields
from bundler.net.http.redirect import MAX_REDIRECTS, Hop, next_hop, origin, too_many
from bundler.net.http.slow_server import CONNECT_TIMEOUT_S, IDLE_TIMEOUT_S, not_connected, silent
from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bundler.net.http.tls_trust import Trust
    from bundler.net.interface import Body, ClosingTransport, Credentials, Response

# every character that requests, too, would send as it stands
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9/._~:@!$&'()*+,;=%?-]*)?")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH")
Origin = tuple[str, str, int | None]


class DirectTransport:
    """See the module's docstring; safe for many threads.

    Arguments:
        rest: returns what sends everything else; called once, when the first such request is made.
        trust: whose certificates are verified, and how.
        environment: has the variables for proxies.
        connect_timeout_s, idle_timeout_s: see `RequestsTransport`.
    """

    def __init__(
        self,
        rest: Callable[[], ClosingTransport],
        trust: Trust,
        environment: Mapping[str, str] = os.environ,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        user_agent: str = "bundler",
    ) -> None:
        self._rest = DeferredTransport(rest)
        self._trust = trust
        self._timeouts_s = (connect_timeout_s, idle_timeout_s)
        self._fields = standard_fields(user_agent)
        self._proxied = any(
            name.lower().endswith("_proxy") and name.lower() != "no_proxy" and text
            for name, text in environment.items()
        )
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[http.client.HTTPConnection]] = {}
        # where no answer came, all goes through the rest from then on
        self._left: set[Origin] = set()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
        self._rest.close()

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | Body | None = None,
    ) -> Iterator[Response]:
        """Send one request, following at most MAX_REDIRECTS redirects; see `interface.Transport`."""
        hop = Hop(method, url, dict(headers or {}), credentials, body)
        for _ in range(MAX_REDIRECTS + 1):
            if (response := self._answer(hop)) is None:
                with self._rest.request(
                    hop.method, hop.url, headers=hop.headers, credentials=hop.credentials, body=hop.body
                ) as answered:
                    yield answered
                return
            with self._finishing(response, hop):
                if (following := next_hop(hop, response.status, response.headers)) is None:
                    yield response
                    return
            hop = following
        raise too_many(url)

    @contextmanager
    def _finishing(self, response: DirectResponse, hop: Hop) -> Iterator[None]:
        """Keep the connection for the next request unless the block fails, or leaves more than a short rest."""
        try:
            yield
        except BaseException:
            response.connection.close()
            raise
        if response.finish() and response.connection.sock is not None:
            with self._lock:
                self._idle.setdefault(origin(hop.url), []).append(response.connection)
        else:
            response.connection.close()

    def _answer(self, hop: Hop) -> DirectResponse | None:
        """Return the response, None when the rest has to ask; SourceError when there is none in time."""
        if hop.method not in _METHODS or not self._may_ask(hop.url):
            return None
        place = origin(hop.url)
        connection = self._connection(place, hop.url)
        where, idle_timeout_s = redact(hop.url), self._timeouts_s[1]
        try:
            if connection.sock is None:
                connection.connect()
        except TimeoutError as error:
            connection.close()
            raise not_connected(where) from error
        except (OSError, ValueError):
            return self._leave(place, connection)
        try:
            _wait(connection, idle_timeout_s)
            self._send(connection, hop)
            received = connection.getresponse()
        except TimeoutError as error:
            connection.close()
            raise silent(where, idle_timeout_s) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if hop.body is None:
                return self._leave(place, connection)
            connection.close()
            from bundler.net.http.connection_errors import source_error  # it knows requests, too

            raise source_error(error, hop.url, idle_timeout_s=idle_timeout_s) from error
        except BaseException:
            # a body that cannot be read to its end
            connection.close()
            raise
        if len(set(received.headers.get_all("Content-Length") or [])) > 1:
            if hop.body is None:
                return self._leave(place, connection)
            connection.close()
            raise contradicting(where)
        return DirectResponse(connection, received, HeaderFields(received.getheaders()), hop.url, idle_timeout_s)

    def _send(self, connection: http.client.HTTPConnection, hop: Hop) -> None:
        parts = urlsplit(hop.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = self._fields | dict(hop.headers) | _basic(hop.credentials)
        if hop.body is not None:
            fields["Content-Length"] = str(len(hop.body))
        # whoever refuses a body may answer, and close, before it has all of it: the answer is then still to be read
        with suppress(BrokenPipeError):
            connection.request(hop.method, target, body=hop.body, headers=fields)

    def _may_ask(self, url: str) -> bool:
        if not _PLAIN_URL.fullmatch(url):
            return False
        try:
            place = origin(url)
        except ValueError:
            return False
        return place not in self._left and (not self._proxied or is_loopback_name(place[1]))

    def _connection(self, place: Origin, url: str) -> http.client.HTTPConnection:
        with self._lock:
            while idle := self._idle.get(place):
                connection = idle.pop()
                if not _was_closed(connection):
                    return connection
                connection.close()
        scheme, host, port = place
        if scheme == "https":
            context = self._trust.context_for(url)()
            connection = http.client.HTTPSConnection(host, port, timeout=self._timeouts_s[0], context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeouts_s[0])
        connection.response_class = FinalResponse
        return connection

    def _leave(self, place: Origin, connection: http.client.HTTPConnection) -> DirectResponse | None:
        connection.close()
        self._left.add(place)
        return None


def _wait(connection: http.client.HTTPConnection, idle_timeout_s: float) -> None:
    """Let a connection that stands be silent for so many seconds."""
    if connection.sock is not None:
        connection.sock.settimeout(idle_timeout_s)


def _was_closed(connection: http.client.HTTPConnection) -> bool:
    """Tell whether the server has ended a connection on which nothing is to come."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])


def _basic(credentials: Credentials | None) -> dict[str, str]:
    if credentials is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(b':'.join(credentials.as_bytes())).decode()}"}
