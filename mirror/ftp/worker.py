"""One FTP worker process: the event loop, and the supervisor's messages. See `mirror.worker.worker`."""

from __future__ import annotations

import gc
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from pyftpdlib.ioloop import IOLoop

from mirror.ftp.limits import Limits
from mirror.ftp.server import Server
from mirror.worker.reloading import Reloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.ftp.tls import Tls
    from mirror.settings import Settings
    from mirror.worker.control import Material
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

_FLUSH_S = 0.25
_LONGEST_WAIT_S = 1.0
_log = logging.getLogger("mirror.ftp")


def run(worker: Worker, limits: Limits | None = None) -> None:
    """Serve until the supervisor says stop or is gone, and transfers have ended or had their time.

    Arguments:
        limits: times and counts, for tests; None for the usual ones.

    Raises ServeError (SERVE_TLS_INVALID) when it cannot begin.
    """
    _quiet()
    FtpWorker(worker, limits or Limits()).run()


def _quiet() -> None:
    """Leave of pyftpdlib's log what is a bug; without a handler it would set up one that writes everything."""
    log = logging.getLogger("pyftpdlib")
    if not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
        log.propagate = False
    log.setLevel(logging.ERROR)


def _tls(settings: Settings, material: Material) -> Tls | None:
    if settings.tls is None:
        return None
    from mirror.ftp.tls import Tls  # OpenSSL takes memory, and most mirrors have no certificate

    return Tls(material, str(settings.tls.certificate))


class FtpWorker:
    """A worker from its start to its end."""

    def __init__(self, worker: Worker, limits: Limits) -> None:
        self._worker = worker
        self._ioloop = IOLoop.factory()
        self._server = Server(worker, self._ioloop, limits, _tls(worker.settings, worker.serving.material))
        self._reloads = Reloads(worker, self._watch, self._take_over)
        self._stop_by_s: float | None = None
        self._line: Watched | None = Watched(self._ioloop, worker.control.fileno(), self._obey)
        self._ioloop.call_every(_FLUSH_S, worker.log.flush)

    def run(self) -> None:
        """Serve."""
        # what was made to serve with stays; collections need not look at it again
        gc.collect()
        gc.freeze()
        self._worker.is_ready()
        wait_s: float | None = 0.0
        try:
            while not self._is_over():
                longest_s = _LONGEST_WAIT_S if wait_s is None else min(wait_s, _LONGEST_WAIT_S)
                wait_s = self._ioloop.loop(longest_s, blocking=False)
        finally:
            self._server.close()
            self._ioloop.close()
            self._worker.log.flush()

    def _is_over(self) -> bool:
        if self._stop_by_s is None:
            return False
        return not self._server.sessions or time.monotonic() >= self._stop_by_s

    # --- the supervisor

    def _obey(self) -> None:
        control = self._worker.control
        for message in control.receive():
            match message.word:
                case "reload":
                    self._reloads.asked(message)
                case "reopen-log":
                    if message.descriptor is not None:
                        self._worker.log.reopen(message.descriptor)
                case "stop":
                    self._stop()
                case "ready" | "reloaded" | "failed" | "told":
                    pass  # words that go up
        self._notice_end()

    def _notice_end(self) -> None:
        if self._worker.control.closed and self._line is not None:
            # nobody would start another worker in this one's place
            self._line.close()
            self._line = None
            self._stop()

    def _stop(self) -> None:
        if self._stop_by_s is None:
            self._stop_by_s = time.monotonic() + self._worker.settings.grace_s
            self._server.stop()

    def _watch(self, fileno: int, call: Callable[[], None]) -> Callable[[], None]:
        return Watched(self._ioloop, fileno, call).close

    def _take_over(self, serving: Serving) -> None:
        self._server.tls = _tls(self._worker.settings, serving.material)
        self._worker.take_over(serving)


class Watched:
    """A descriptor on pyftpdlib's event loop that only wants to be read; somebody else's."""

    def __init__(self, ioloop: Any, fileno: int, call: Callable[[], None]) -> None:
        self._ioloop = ioloop
        self._fileno = fileno
        self.handle_read_event = call
        # its end is found by reading
        self.handle_close = call
        ioloop.register(fileno, self, ioloop.READ)

    def readable(self) -> bool:
        """Tell whether a read event is wanted."""
        return True

    def writable(self) -> bool:
        """Tell whether a write event is wanted."""
        return False

    def handle_error(self) -> None:
        """Report an exception that nobody expected; called from its handler."""
        _log.exception("a message could not be obeyed")

    def close(self) -> None:
        """Watch no longer."""
        if self._fileno >= 0:
            self._ioloop.unregister(self._fileno)
            self._fileno = -1
