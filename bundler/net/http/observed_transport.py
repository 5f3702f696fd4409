"""A `Transport` that writes each request into a `RequestLog`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.net.interface import Body, ClosingTransport, Credentials, Response
    from bundler.request_log import RequestLog, RequestRecord


@dataclass(frozen=True, slots=True)
class ObservedTransport:
    """Sends through another transport; one line tells of a request and all redirects that it follows."""

    transport: ClosingTransport
    log: RequestLog

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
        with (
            self.log.request(method, redact(url)) as record,
            self.transport.request(method, url, headers=headers, credentials=credentials, body=body) as response,
        ):
            record.status = str(response.status)
            yield _CountedResponse(response, record)

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()


@dataclass(frozen=True, slots=True)
class _CountedResponse:
    response: Response
    record: RequestRecord

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def url(self) -> str:
        return self.response.url

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers

    def chunks(self) -> Iterator[bytes]:
        for chunk in self.response.chunks():
            self.record.received_bytes += len(chunk)
            yield chunk

    def read(self, max_bytes: int) -> bytes:
        data = self.response.read(max_bytes)
        self.record.received_bytes += len(data)
        return data
