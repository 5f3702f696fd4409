"""A `Transport` that gives prepared answers in order and remembers what was asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from bundler.errors import ErrorId, SourceError
from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.net.interface import Credentials


@dataclass(slots=True)
class Reply:
    """One answer; with `cut_at` its body ends there in a SourceError, as the real transport's would."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None
    url: str = ""

    def chunks(self, chunk_bytes: int = 1000) -> Iterator[bytes]:
        """Yield the body."""
        end = len(self.body) if self.cut_at is None else self.cut_at
        for begin in range(0, end, chunk_bytes):
            yield self.body[begin : min(begin + chunk_bytes, end)]
        if self.cut_at is not None:
            raise cut_error(self.url)

    def read(self, max_bytes: int) -> bytes:
        """Return the body."""
        if len(self.body) > max_bytes:
            raise SourceError(ErrorId.SOURCE_INVALID, "is too long", where=self.url, remedy="None.")
        return b"".join(self.chunks())


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it was sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    credentials: Credentials | None
    body: bytes | None


class ScriptedTransport:
    """Gives each prepared reply once, in order; a SourceError among them is raised instead."""

    def __init__(self, *replies: Reply | SourceError) -> None:
        self._replies = list(replies)
        self.sent: list[Sent] = []

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | None = None,
    ) -> Iterator[Reply]:
        """Give the next reply."""
        self.sent.append(Sent(method, url, CaseInsensitiveDict(headers or {}), credentials, body))
        assert self._replies, f"one request more than replies: {method} {url}"
        reply = self._replies.pop(0)
        if isinstance(reply, SourceError):
            raise reply
        reply.url = reply.url or redact(url)
        reply.headers = CaseInsensitiveDict(reply.headers)
        yield reply

    def assert_done(self) -> None:
        """Fail when some replies were never asked for."""
        assert not self._replies, f"never asked for: {self._replies}"


def cut_error(where: str = "") -> SourceError:
    """Return what a cut line looks like."""
    return SourceError(ErrorId.SOURCE_CUT, "the connection was cut", where=where, remedy="Try again.", retryable=True)
