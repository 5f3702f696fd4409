"""The connections of one HTTP worker: who may connect, whose time is over, what is counted and logged."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from mirror.http.heads import Heads
from mirror.http.response import text_response
from mirror.http.response_cache import ResponseCache
from mirror.shared.counters import Field
from mirror.worker.access_log import Transfer
from mirror.worker.allow import is_allowed, plain_address

if TYPE_CHECKING:
    from mirror.http.exchange import EventualResponse, Exchange, PreparedResponse
    from mirror.http.handler import Handler
    from mirror.http.interface import Client
    from mirror.http.request_fields import RequestFields
    from mirror.http.response import OutgoingResponse
    from mirror.tree.opening import NotTheCheckedFileError
    from mirror.worker.rechecking import Rechecks
    from mirror.worker.worker import Worker

# beyond a connection's own socket, while a file is sent: a duplicate of that, and the file
DESCRIPTORS_PER_TRANSFER = 2
# so many transfers find descriptors however many connections are open
RESERVED_TRANSFERS = 1024
_SPARE_DESCRIPTORS = 64
FLUSH_S = 0.25
_NEGOTIATED = ("Vary", "Accept")


def affordable_descriptors(soft_limit: int) -> int:
    """Return how many descriptors connections and transfers may take: what the worker's own leave of the limit."""
    # an unusually low limit is shared by halves, or nobody could be served at all
    return max(1, soft_limit - min(_SPARE_DESCRIPTORS, soft_limit // 2))


class HttpServer:
    """What all connections of a worker share.

    Arguments:
        rechecks: looks after files that are not what is listed.
        max_descriptors: what connections and transfers may take together; more are turned away.
        secure: whether the listeners speak TLS.
    """

    def __init__(
        self,
        worker: Worker,
        handler: Handler,
        loop: asyncio.AbstractEventLoop,
        rechecks: Rechecks,
        *,
        max_descriptors: int,
        secure: bool,
    ) -> None:
        self.loop = loop
        self.heads = Heads()
        self.cache = ResponseCache()
        self.bandwidth = worker.bandwidth
        self.now_s = 0
        self.stopping = False
        self.drained = asyncio.Event()
        self._worker = worker
        self._handler = handler
        self._rechecks = rechecks
        self._secure = secure
        self._max_descriptors = max_descriptors
        self._reserved = min(RESERVED_TRANSFERS, max_descriptors // (2 * DESCRIPTORS_PER_TRANSFER))
        self.sending = 0
        # in the order in which they came; a set of as many takes four times the memory
        self._clients: dict[Client, None] = {}
        self._protocol = "https" if secure else "http"
        self.plain = False
        self.reloaded()

    # what connections ask

    def opened(self, client: Client) -> bool:
        """Take note of a connection; False, with a word to the client, when it is not wanted."""
        slot = self._worker.slot
        client.remote = plain_address(client.remote)
        if not is_allowed(client.remote, self._worker.settings.allow):
            refusal = text_response(403, "This address may not connect (--allow).\n")
        elif self._descriptors(max(self.sending, self._reserved)) >= self._max_descriptors:
            refusal = text_response(503, "Too many connections.\n", [("Retry-After", "5")])
        else:
            slot.add(Field.CONNECTIONS)
            slot.add(Field.OPEN_CONNECTIONS)
            self._clients[client] = None
            return True
        slot.add(Field.REFUSED_CONNECTIONS)
        body = b"".join(piece for piece in refusal.pieces if isinstance(piece, bytes))
        client.transport.write(self.heads.head(refusal, keeps=False, http_1_0=False) + body)
        client.transport.close()
        return False

    def closed(self, client: Client) -> None:
        """Forget a connection."""
        if client in self._clients:
            del self._clients[client]
            self._worker.slot.add(Field.OPEN_CONNECTIONS, -1)
            if self.stopping and not self._clients:
                self.drained.set()

    def may_send(self) -> bool:
        """Tell whether descriptors are left for one more transfer."""
        return self._descriptors(self.sending + 1) <= self._max_descriptors

    def _descriptors(self, transfers: int) -> int:
        return len(self._clients) + transfers * DESCRIPTORS_PER_TRANSFER

    def decide(self, exchange: Exchange) -> EventualResponse:
        """Return the response, or a coroutine that does when it takes longer."""
        return self._handler.decide(exchange)

    def keep_response(self, exchange: Exchange, prepared: PreparedResponse) -> None:
        """Keep the response to a plain request for a small file."""
        if self.plain and prepared.file is not None and exchange.method == "GET":
            accept = exchange.fields.get(b"accept", "") if _NEGOTIATED in prepared.response.fields else None
            self.cache.keep(exchange.raw_target, prepared.response, prepared.file, self.now_s, accept)

    def file_changed(self, error: NotTheCheckedFileError) -> None:
        """Take note that a file was written to while it was sent, and the transfer cut."""
        self.cache.forget()
        self._rechecks.spoiled(error)

    def served_from_cache(self, raw_target: bytes, remote: str, size: int, bundle: str, fields: RequestFields) -> None:
        """Take note of a response that came from `cache`."""
        self._worker.slot.answered(200, size)
        if self._worker.log.wanted:
            named = {name.lower(): value.decode("latin-1") for name, value in fields}
            self._log("GET", raw_target, named, remote, "", bundle, 200, size, complete=True)

    def ended(self, exchange: Exchange, response: OutgoingResponse, content_bytes: int, *, complete: bool) -> None:
        """Take note of a response's end."""
        slot = self._worker.slot
        slot.answered(response.status, content_bytes)
        if not complete:
            slot.add(Field.CUT_TRANSFERS)
        if self._worker.log.wanted:
            bundle = response.file.bundle if response.file is not None else ""
            self._log(
                exchange.method, exchange.raw_target, exchange.fields, exchange.remote, exchange.user, bundle,
                response.status, content_bytes, complete=complete,
            )  # fmt: skip

    def _log(
        self, method: str, raw_target: bytes, fields: Any, remote: str, user: str, bundle: str, status: int,
        size: int, *, complete: bool,
    ) -> None:  # fmt: skip
        self._worker.log.add(
            Transfer(
                protocol=self._protocol,
                time_s=time.time(),
                remote=remote,
                user=user,
                bundle=bundle,
                method=method,
                path=raw_target.decode("latin-1"),
                range=fields.get(b"range", ""),
                status=status,
                sent_bytes=size,
                complete=complete,
                referer=fields.get(b"referer", ""),
                agent=fields.get(b"user-agent", ""),
            )
        )

    # what the worker asks

    def reloaded(self) -> None:
        """Take over what the worker serves now."""
        self.cache.forget()
        self.plain = self._worker.serving.users is None and self._worker.bandwidth is None

    def tick(self) -> None:
        """Once a second: the date, and the connections whose time is over."""
        self.now_s += 1
        self.heads.tick()
        now_s = self.now_s
        for client in [one for one in self._clients if one.deadline_s < now_s]:
            client.expire()

    def stop(self, idle_s: int = 0) -> None:
        """Let answers end that are being sent, and close everything else.

        Arguments:
            idle_s: how long a connection may still bring a request, which is its last one then.
        """
        self.stopping = True
        for client in list(self._clients):
            client.close_when_done(idle_s)
        if not self._clients:
            self.drained.set()

    def abort(self) -> None:
        """Cut what is left."""
        for client in list(self._clients):
            client.transport.abort()
