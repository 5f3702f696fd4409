"""What a connection asks of the worker that it belongs to, and what that worker asks of a connection.

`server` and `connection` are the real ones; the tests have their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio

    from mirror.http.exchange import EventualResponse, Exchange, PreparedResponse
    from mirror.http.heads import Heads
    from mirror.http.request_fields import RequestFields
    from mirror.http.response import OutgoingResponse
    from mirror.http.response_cache import ResponseCache
    from mirror.shared.bandwidth import Bandwidth
    from mirror.tree.opening import NotTheCheckedFileError


class Client(Protocol):
    """One client's connection, as its worker sees it."""

    # the client's address
    remote: str
    # what the event loop gave it; that of a test is of no class of asyncio's
    transport: Any
    # when its time is over, in seconds since the worker began
    deadline_s: int

    def expire(self) -> None:
        """End a connection whose deadline has passed."""

    def close_when_done(self, idle_s: int = 0) -> None:
        """End the connection after the answers that are due; at once when there is none."""


class Server(Protocol):
    """What a connection asks of its worker."""

    loop: asyncio.AbstractEventLoop
    heads: Heads
    cache: ResponseCache
    bandwidth: Bandwidth | None
    # seconds since the worker began, refreshed once a second
    now_s: int
    stopping: bool
    # connections that are being sent a file or a capped response, each with two descriptors more than the others
    sending: int
    # whether a request without any condition may be answered from `cache`
    plain: bool

    def opened(self, client: Client) -> bool:
        """Take note of a connection; False when it is not wanted."""

    def closed(self, client: Client) -> None:
        """Forget a connection."""

    def may_send(self) -> bool:
        """Tell whether descriptors are left for one more transfer."""

    def decide(self, exchange: Exchange) -> EventualResponse:
        """Return the response, or a coroutine that does when it takes longer."""

    def keep_response(self, exchange: Exchange, prepared: PreparedResponse) -> None:
        """Keep a response in `cache`, if it is fit for it."""

    def file_changed(self, error: NotTheCheckedFileError) -> None:
        """Take note that a file was written to while it was sent, and the transfer cut."""

    def served_from_cache(self, raw_target: bytes, remote: str, size: int, bundle: str, fields: RequestFields) -> None:
        """Take note of a response that came from `cache`."""

    def ended(self, exchange: Exchange, response: OutgoingResponse, content_bytes: int, *, complete: bool) -> None:
        """Take note of a response's end."""
