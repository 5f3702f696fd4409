"""One FTP worker process: the event loop, and the supervisor's messages. See `mirror.worker.worker`."""

from __future__ import annotations

import gc
import time
from functools import partial
from typing import TYPE_CHECKING

from mirror.ftp.commands import COMMANDS
from mirror.ftp.event_loop import ReadWatcher
from mirror.ftp.limits import Limits
from mirror.ftp.pyftpdlib_adapter import new_event_loop, quiet_log
from mirror.ftp.server import FtpServer
from mirror.ftp.session import Session
from mirror.worker.reloading import Reloads

if TYPE_CHECKING:
    from mirror.ftp.server import NewSession
    from mirror.settings import Settings
    from mirror.worker.control import KeyFiles
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

_FLUSH_S = 0.25
_LONGEST_WAIT_S = 1.0
_FAILURE = "a message could not be obeyed"


def run(worker: Worker, limits: Limits | None = None) -> None:
    """Serve until the supervisor says stop or is gone, and transfers have ended or had their time.

    Arguments:
        limits: times and counts, for tests; None for the usual ones.

    Raises ServeError (SERVE_TLS_INVALID) when it cannot begin.
    """
    quiet_log()
    FtpWorker(worker, limits or Limits()).run()


def _new_session(settings: Settings, key_files: KeyFiles) -> NewSession:
    if settings.tls is None:
        return partial(Session, commands=COMMANDS)
    # takes memory, and most mirrors have no certificate
    from mirror.ftp.tls import SecureSession, tls_context

    context = tls_context(key_files, str(settings.tls.certificate))
    return partial(SecureSession, commands=COMMANDS, context=context)


class FtpWorker:
    """A worker from its start to its end."""

    def __init__(self, worker: Worker, limits: Limits) -> None:
        self._worker = worker
        self._limits = limits
        self._loop = new_event_loop()
        new_session = _new_session(worker.settings, worker.serving.key_files)
        self._server = FtpServer(worker, self._loop, limits, new_session)
        self._reloads = Reloads(worker, self._take_over)
        self._stop_by_s: float | None = None
        self._line: ReadWatcher | None = ReadWatcher(self._loop, worker.control.fileno(), self._obey, _FAILURE)
        self._loop.call_every(_FLUSH_S, worker.log.flush)

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
                wait_s = self._loop.loop(longest_s, blocking=False)
        finally:
            self._server.close()
            self._loop.close()
            self._worker.log.flush()

    def _is_over(self) -> bool:
        if self._stop_by_s is None:
            return False
        if not self._server.sessions:
            return True
        if self._worker.is_succeeded:
            # nobody waits for the end of what takes long
            self._stop_by_s = time.monotonic() + self._worker.settings.grace_s
            return False
        return time.monotonic() >= self._stop_by_s

    # --- the supervisor

    def _obey(self) -> None:
        control = self._worker.control
        for message in control.receive():
            match message.word:
                case "reload":
                    self._reloads.handle(message)
                case "reopen-log":
                    if message.descriptor is not None:
                        self._worker.log.reopen(message.descriptor)
                case "stop":
                    self._stop()
                case "ready" | "reloaded" | "failed" | "indexed" | "compare":
                    pass  # words that go up
        self._notice_end()

    def _notice_end(self) -> None:
        if self._worker.control.closed and self._line is not None:
            # nobody would start another worker in this one's place
            self._line.close()
            self._line = None
            self._stop(self._limits.patience_s if self._worker.is_succeeded else 0)

    def _stop(self, patience_s: float = 0) -> None:
        if self._stop_by_s is None:
            self._stop_by_s = time.monotonic() + self._worker.settings.grace_s
            self._server.stop(patience_s)

    def _take_over(self, serving: Serving) -> None:
        self._server.new_session = _new_session(self._worker.settings, serving.key_files)
        self._worker.take_over(serving)
        self._server.reloaded()
