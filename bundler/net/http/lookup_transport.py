"""`Transport` for looking things up: small answers straight from a server, over http.client; requests for the rest.

A push in which all is there asks some dozen questions and sends nothing. Loading requests takes longer than asking
them, so it is loaded for what it is needed for: a body, a redirect, a proxy, a large answer, and every failure, which
it meets again and tells. Owns that choice; refuses to read a stream, and to have error texts of its own.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.net.http.deferred_transport import DeferredTransport
from bundler.net.http.messages import collected, is_loopback_name, standard_fields
from bundler.net.http.redirect import origin
from bundler.net.http.slow_server import CONNECT_TIMEOUT_S, IDLE_TIMEOUT_S, not_connected, silent
from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.net.http.tls_trust import Trust
    from bundler.net.interface import Body, ClosingTransport, Credentials, Response

# more is a document, or a blob: a stream that requests reads
MAX_ANSWER_BYTES = 64 * 1024
# every character that requests, too, would send as it stands
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9/._~:@!$&'()*+,;=?-]*)?")
_FIRST_REDIRECT, _FIRST_ERROR = 300, 400
Origin = tuple[str, str, int | None]


class LookupTransport:
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
        # where a look-up failed, all goes through the rest from then on
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
        """Send one request; see `interface.Transport`."""
        found = None
        if body is None and method in ("GET", "HEAD") and self._may_ask(url):
            found = self._looked_up(method, url, headers or {}, credentials)
        if found is not None:
            yield found
            return
        with self._rest.request(method, url, headers=headers, credentials=credentials, body=body) as response:
            yield response

    def _may_ask(self, url: str) -> bool:
        if not _PLAIN_URL.fullmatch(url):
            return False
        try:
            place = origin(url)
        except ValueError:
            return False
        return place not in self._left and (not self._proxied or is_loopback_name(place[1]))

    def _looked_up(
        self, method: str, url: str, headers: Mapping[str, str], credentials: Credentials | None
    ) -> _Answer | None:
        """Return the answer, None when the rest has to ask; SourceError when there is none in time."""
        place = origin(url)
        connection = self._connection(place, url)
        try:
            if connection.sock is None:
                connection.connect()
        except TimeoutError as error:
            connection.close()
            raise not_connected(redact(url)) from error
        except (OSError, ValueError):
            self._leave(place, connection)
            return None
        try:
            _wait(connection, self._timeouts_s[1])
            parts = urlsplit(url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, headers=self._fields | dict(headers) | _basic(credentials))
            response = connection.getresponse()
            fields, data = _HeaderFields(response.getheaders()), _small_body(response)
        except TimeoutError as error:
            connection.close()
            raise silent(redact(url), self._timeouts_s[1]) from error
        except (OSError, http.client.HTTPException, ValueError):
            self._leave(place, connection)
            return None
        if data is None or (_FIRST_REDIRECT <= response.status < _FIRST_ERROR and "Location" in fields):
            connection.close()
            return None
        if connection.sock is not None:
            with self._lock:
                self._idle.setdefault(place, []).append(connection)
        return _Answer(response.status, redact(url), fields, data)

    def _connection(self, place: Origin, url: str) -> http.client.HTTPConnection:
        with self._lock:
            if idle := self._idle.get(place):
                return idle.pop()
        scheme, host, port = place
        if scheme == "https":
            context = self._trust.context_for(url)()
            return http.client.HTTPSConnection(host, port, timeout=self._timeouts_s[0], context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeouts_s[0])

    def _leave(self, place: Origin, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._left.add(place)


class _Answer:
    """A response that was read whole; see `interface.Response`."""

    def __init__(self, status: int, url: str, headers: Mapping[str, str], data: bytes) -> None:
        self.status = status
        self.url = url
        self.headers = headers
        self._data = data

    def chunks(self) -> Iterator[bytes]:
        """Yield the body."""
        if self._data:
            yield self._data

    def read(self, max_bytes: int) -> bytes:
        """Return the whole body; SourceError when it is longer than that."""
        return collected(self.chunks(), max_bytes, self.url)


class _HeaderFields(Mapping[str, str]):
    """A response's fields, names in any case, repeated ones joined (RFC 9110, 5.3)."""

    def __init__(self, received: list[tuple[str, str]]) -> None:
        self._texts: dict[str, str] = {}
        for name, text in received:
            known = self._texts.get(name.lower())
            self._texts[name.lower()] = text if known is None else f"{known}, {text}"

    def __getitem__(self, name: str) -> str:
        return self._texts[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _wait(connection: http.client.HTTPConnection, idle_timeout_s: float) -> None:
    """Let a connection that stands be silent for so many seconds."""
    if connection.sock is not None:
        connection.sock.settimeout(idle_timeout_s)


def _basic(credentials: Credentials | None) -> dict[str, str]:
    if credentials is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(b':'.join(credentials.as_bytes())).decode()}"}


def _small_body(response: http.client.HTTPResponse) -> bytes | None:
    """Return the body, None when it is too long or contradicts itself; HTTPException when it is cut."""
    lengths = response.headers.get_all("Content-Length") or []
    if len(set(lengths)) > 1 or (response.length or 0) > MAX_ANSWER_BYTES:
        return None
    # with a number http.client would take a shorter body for the whole
    data = response.read() if response.length is not None else response.read(MAX_ANSWER_BYTES + 1)
    return data if len(data) <= MAX_ANSWER_BYTES else None
