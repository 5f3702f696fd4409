"""A `Transport` that answers from a function of the test, or gives prepared replies in order."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from bundler.errors import ErrorId, SourceError
from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bundler.net.interface import Body, Credentials

CHUNK_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str]
    credentials: Credentials | None
    body: bytes | Body | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Arguments:
        cut_at: where its body ends in a SourceError, as the real transport's would.
        url: where it came from, "" for where it was asked.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None
    url: str = ""


class FakeResponse:
    """An `Answer` over a `Reply` to a request for `url`."""

    def __init__(self, reply: Reply, url: str = "") -> None:
        self.status = reply.status
        self.url = reply.url or redact(url)
        self.headers: Mapping[str, str] = CaseInsensitiveDict(reply.headers)
        self._body = reply.body
        self._cut_at = reply.cut_at

    def chunks(self) -> Iterator[bytes]:
        """Yield the body."""
        body = self._body[: self._cut_at]
        for begin in range(0, len(body), CHUNK_BYTES):
            yield body[begin : begin + CHUNK_BYTES]
        if self._cut_at is not None:
            raise cut_error(self.url)

    def read(self, max_bytes: int) -> bytes:
        """Return the body."""
        if len(self._body) > max_bytes:
            raise SourceError(ErrorId.SOURCE_INVALID, "is too long", where=self.url, remedy="Shorten it.")
        return b"".join(self.chunks())


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
        body: bytes | Body | None = None,
    ) -> Iterator[FakeResponse]:
        """Keep the request and answer it."""
        asked = Asked(method, url, CaseInsensitiveDict(headers or {}), credentials, body)
        with self._lock:
            self.asked.append(asked)
        yield FakeResponse(self._answer(asked), url)

    def close(self) -> None:
        """There is nothing to close."""

    @property
    def urls(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.url for asked in self.asked]


class ScriptedTransport(FakeTransport):
    """Gives each prepared reply once, in order; a SourceError among them is raised instead."""

    def __init__(self, *replies: Reply | SourceError) -> None:
        super().__init__(self._next)
        self._replies = list(replies)

    def _next(self, asked: Asked) -> Reply:
        assert self._replies, f"one request more than replies: {asked.method} {asked.url}"
        reply = self._replies.pop(0)
        if isinstance(reply, SourceError):
            raise reply
        return reply

    def assert_done(self) -> None:
        """Fail when some replies were never asked for."""
        assert not self._replies, f"never asked for: {self._replies}"


def unreachable(url: str) -> SourceError:
    """Return what a transport raises when nobody answers."""
    return SourceError(ErrorId.SOURCE_UNREACHABLE, "no connection", where=url, remedy="Check it.", retryable=True)


def cut_error(where: str = "") -> SourceError:
    """Return what a cut line looks like."""
    return SourceError(ErrorId.SOURCE_CUT, "the connection was cut", where=where, remedy="Try again.", retryable=True)
