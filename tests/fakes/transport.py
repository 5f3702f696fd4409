"""A `Transport` that answers from a function of the test, and keeps what it was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from bundler.errors import ErrorId, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bundler.net.interface import Credentials


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str]
    credentials: Credentials | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `url` is where it came from, "" for where it was asked."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


class FakeAnswer:
    """An `Answer` over a `Reply`."""

    def __init__(self, reply: Reply, url: str) -> None:
        self.status = reply.status
        self.url = reply.url or url
        self.headers: Mapping[str, str] = CaseInsensitiveDict(reply.headers)
        self._body = reply.body

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in one piece."""
        if self._body:
            yield self._body

    def read(self, max_bytes: int) -> bytes:
        """Return the body."""
        if len(self._body) > max_bytes:
            raise SourceError(ErrorId.SOURCE_INVALID, "is too long", where=self.url, remedy="Shorten it.")
        return self._body


class FakeTransport:
    """Asks `answer`, which returns a `Reply` or raises; `asked` holds all requests in order. Safe for threads."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.asked: list[Asked] = []

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | None = None,
    ) -> Iterator[FakeAnswer]:
        """Keep the request and answer it."""
        asked = Asked(method, url, CaseInsensitiveDict(headers or {}), credentials, body)
        with self._lock:
            self.asked.append(asked)
        yield FakeAnswer(self._answer(asked), url)

    @property
    def urls(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.url for asked in self.asked]


def unreachable(url: str) -> SourceError:
    """Return what a transport raises when nobody answers."""
    return SourceError(ErrorId.SOURCE_UNREACHABLE, "no connection", where=url, remedy="Check it.", retryable=True)
