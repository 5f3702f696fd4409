"""One HTTP worker process: a uvloop on the sockets that the supervisor bound, until the supervisor says stop."""

from __future__ import annotations

import asyncio
import gc
import resource
from contextlib import suppress
from typing import TYPE_CHECKING

import uvloop

from mirror.http.connection import Connection
from mirror.http.handler import Handler
from mirror.http.own_urls import OwnUrls
from mirror.http.server import FLUSH_S, HttpServer, affordable_descriptors
from mirror.http.thread_work import ThreadWork
from mirror.http.timeouts import LAST_REQUEST_S
from mirror.http.tls import TlsContexts, server_context
from mirror.page.pages import Pages
from mirror.shared.counters import Field, State
from mirror.worker.rechecking import RECHECK_S, Rechecks
from mirror.worker.reloading import Reloads

if TYPE_CHECKING:
    import socket
    import ssl

    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

BACKLOG = 4096
HANDSHAKE_S = 30
# for the last bytes of a slow client, which wait in the transport when everything was handed to it
SHUTDOWN_S = 600
TICK_S = 1.0


def run(worker: Worker) -> None:
    """Serve until the supervisor says stop, or is gone. Raises ServeError when the certificate cannot be used."""
    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(_HttpWorker(worker, loop).run())
    finally:
        loop.close()


class _HttpWorker:
    """The process's life: listening, commands, reloads, the end."""

    def __init__(self, worker: Worker, loop: asyncio.AbstractEventLoop) -> None:
        self._worker = worker
        self._loop = loop
        self._tls = _contexts(worker)
        self._threads = ThreadWork(loop)
        self._rechecks = Rechecks(worker, self._threads, self._withdrawn)
        handler = Handler(worker, OwnUrls(worker, Pages(), self._rechecks.findings), self._threads)
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = affordable_descriptors(soft)
        self._secure = self._tls is not None
        self._server = HttpServer(worker, handler, loop, self._rechecks, max_descriptors=limit, secure=self._secure)
        self._stop = asyncio.Event()
        self._patient = False
        self._listening: list[asyncio.AbstractServer] = []
        self._reloads = Reloads(worker, self._take_over)

    async def run(self) -> None:
        """Listen, and wait for the end."""
        worker, loop = self._worker, self._loop
        context = self._tls.listening if self._tls is not None else None
        for listener in worker.listeners:
            only_registry = listener is worker.registry
            self._listening.append(await self._listen(listener, context, only_registry=only_registry))
        loop.add_reader(worker.control.fileno(), self._commanded)
        self._tick()
        self._flush()
        self._look_again()
        # what was made to serve with stays; collections need not look at it again
        gc.collect()
        gc.freeze()
        worker.is_ready()
        await self._stop.wait()
        await self._wind_up()

    async def _listen(
        self, listener: socket.socket, context: ssl.SSLContext | None, *, only_registry: bool
    ) -> asyncio.AbstractServer:
        def connected() -> Connection:
            return Connection(self._server, secure=self._secure, only_registry=only_registry)

        if context is None:
            return await self._loop.create_server(connected, sock=listener, backlog=BACKLOG)
        return await self._loop.create_server(
            connected,
            sock=listener,
            backlog=BACKLOG,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_S,
            ssl_shutdown_timeout=SHUTDOWN_S,
        )

    def _tick(self) -> None:
        self._loop.call_later(TICK_S, self._tick)
        self._server.tick()

    def _flush(self) -> None:
        self._loop.call_later(FLUSH_S, self._flush)
        self._worker.log.flush()

    def _look_again(self) -> None:
        self._loop.call_later(RECHECK_S, self._look_again)
        self._rechecks.sweep()

    def _commanded(self) -> None:
        for message in self._worker.control.receive():
            if message.word == "reload":
                self._reloads.handle(message)
            elif message.word == "reopen-log" and message.descriptor is not None:
                self._worker.log.reopen(message.descriptor)
            elif message.word == "stop":
                self._stop.set()
        if self._worker.control.closed:
            # nobody is left who could say stop; where others have taken over, nobody needs to be sent away
            self._loop.remove_reader(self._worker.control.fileno())
            self._patient = self._worker.is_succeeded
            self._stop.set()

    def _take_over(self, serving: Serving) -> None:
        if self._tls is not None:
            self._tls.newest = _context(self._worker, serving)
        self._worker.take_over(serving)
        self._rechecks.sweep()
        self._server.reloaded()

    def _withdrawn(self) -> None:
        # what is kept of small files may be of one that is not served any more
        self._server.reloaded()

    async def _wind_up(self) -> None:
        """Accept nothing more, let transfers end, and cut the rest after the grace period, unless others took over."""
        self._worker.slot.set(Field.STATE, State.STOPPING)
        for listening in self._listening:
            listening.close()
        self._server.stop(idle_s=LAST_REQUEST_S if self._patient else 0)
        is_over = False
        while not is_over:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.drained.wait(), self._worker.settings.grace_s)
            # nobody waits for the end of what takes long, as long as the mirror itself does not end
            is_over = self._server.drained.is_set() or not (self._patient and self._worker.is_succeeded)
        self._server.abort()
        # the loop reports the aborted connections in its next turn
        await asyncio.sleep(0)
        self._threads.close()
        with suppress(ValueError):
            self._loop.remove_reader(self._worker.control.fileno())
        self._worker.log.flush()


def _contexts(worker: Worker) -> TlsContexts | None:
    return TlsContexts(_context(worker, worker.serving)) if worker.settings.tls is not None else None


def _context(worker: Worker, serving: Serving) -> ssl.SSLContext:
    assert worker.settings.tls is not None  # noqa: S101 - asked only then
    key_files = serving.key_files
    return server_context(key_files.certificate or b"", key_files.key or b"", str(worker.settings.tls.certificate))
