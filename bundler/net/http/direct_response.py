"""A response of http.client whose body is not read yet. Owns when such a body is cut; refuses to choose connections."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bundler.net.http.content_coding import codings
from bundler.net.http.messages import collected
from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 256 * 1024
# the rest of an unread body, up to this size, is read so that its connection can be used again
DRAINED_BYTES = 64 * 1024


class HeaderFields(Mapping[str, str]):
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


class DirectResponse:
    """See `interface.Response`."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        received: http.client.HTTPResponse,
        headers: HeaderFields,
        url: str,
        idle_timeout_s: float,
    ) -> None:
        self.connection = connection
        self._received = received
        self._headers = headers
        self._url = url
        self._idle_timeout_s = idle_timeout_s

    @property
    def status(self) -> int:
        """Its status code."""
        return self._received.status

    @property
    def url(self) -> str:
        """The URL that it came from after redirects, without secrets."""
        return redact(self._url)

    @property
    def headers(self) -> Mapping[str, str]:
        """Its fields; names are looked up in any case."""
        return self._headers

    def chunks(self) -> Iterator[bytes]:
        """Yield bytes as soon as they arrive, so that an interruption loses none of them."""
        while True:
            try:
                chunk = self._received.read1(READ_BYTES)
                if not chunk and self._received.length:
                    raise http.client.IncompleteRead(b"", self._received.length)
            except (http.client.HTTPException, OSError, ValueError) as error:
                from bundler.net.http.connection_errors import source_error  # it knows requests, too

                raise source_error(error, self._url, idle_timeout_s=self._idle_timeout_s) from error
            if not chunk:
                return
            yield chunk

    def read(self, max_bytes: int) -> bytes:
        """Return the whole body; SourceError when it is longer than that."""
        return collected(self.chunks(), codings(self._headers), max_bytes, self.url)

    def finish(self) -> bool:
        """Read a short rest of the body, and tell whether the connection can be used again."""
        rest = self._received.length
        try:
            if self._received.chunked:
                rest = len(self._received.read(DRAINED_BYTES))
                done = rest < DRAINED_BYTES
            elif rest is not None and rest <= DRAINED_BYTES:
                done = len(self._received.read()) == rest
            else:
                done = False
        except (http.client.HTTPException, OSError, ValueError):
            done = False
        self._received.close()
        return done
