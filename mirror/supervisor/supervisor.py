"""The supervisor's life: have what is served read, start the workers, handle signals, replace the dead, end in order.

SIGTERM and SIGINT end it (a second one at once), SIGHUP reloads, SIGUSR1 reopens the access log. Bundles that come, go
or are activated are followed without a signal.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from bundler.errors import BundlerError, ErrorId, ServeError
from bundler.translation import tr
from mirror.supervisor.accepted_site import AcceptedSite
from mirror.supervisor.access_file import open_access_log
from mirror.supervisor.comparison_process import Comparing
from mirror.supervisor.following import FIRST_PAUSE_S, Following
from mirror.supervisor.indexing import Indexing
from mirror.supervisor.key_files import read_key_files
from mirror.supervisor.succession import Trial
from mirror.worker.control import Message
from mirror.worker.operator_log import log_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.supervisor.interface import ServiceManager
    from mirror.supervisor.succession import Succession
    from mirror.supervisor.workers import PooledWorker, WorkerPool
    from mirror.worker.control import KeyFiles

EXIT_MARGIN_S = 3.0
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
_ENDING = (signal.SIGTERM, signal.SIGINT)


class Supervisor:
    """Watches over one worker pool.

    Arguments:
        say: shows what is served where, once every worker is ready.
        warn: shows what an operator should know, one line at a time.
        announcement: makes the text for `say` from the workers' description of the site.
        succession: has the mirror of another bundle take over, once that is active; None for never.
        exit_margin_s: beyond the grace period, for workers to write their last lines.
        first_pause_s: see `Following`.
    """

    def __init__(
        self,
        pool: WorkerPool,
        manager: ServiceManager,
        *,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        announcement: Callable[[str], str],
        succession: Succession | None = None,
        exit_margin_s: float = EXIT_MARGIN_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._pool = pool
        self._manager = manager
        self._say, self._warn, self._announcement = say, warn, announcement
        self._succession = succession
        self._selector = selectors.DefaultSelector()
        self._comparing = Comparing(pool, self._selector, warn)
        self._exit_margin_s = exit_margin_s
        self._stop_deadline_s = 0.0
        self._reload_answers: set[int] = set()
        self._reload_failed = False
        self._accepted = AcceptedSite(pool)
        self._indexing: Indexing | None = None
        self._reload_is_wanted = False
        # whether there was something to serve once
        self._has_begun = False
        watches = not pool.environment.settings.all_files
        self._following = Following(pool.environment.root, watches=watches, warn=warn, first_pause_s=first_pause_s)

    def run(self) -> None:
        """Serve until a signal stops it. Raises ServeError (SERVE_WORKERS_FAILED) when a worker cannot begin."""
        read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        before = {number: signal.signal(number, lambda *_: None) for number in _HANDLED}
        earlier_wakeup = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._selector.register(read_end, selectors.EVENT_READ, None)
        try:
            # garbage collections in the workers leave alone what they share with us, so that it stays shared
            gc.collect()
            gc.freeze()
            self._begin_indexing(self._pool.key_files)
            while self._pool.by_pid or not self._stopping:
                self._turn(read_end)
        finally:
            self._pool.kill_all()
            self._comparing.end()
            self._end_indexing()
            signal.set_wakeup_fd(earlier_wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(read_end)
            os.close(write_end)

    @property
    def _stopping(self) -> bool:
        return self._stop_deadline_s > 0

    def _turn(self, wakeup: int) -> None:
        for key, _ in self._selector.select(self._timeout_s()):
            if key.data is None:
                self._handle_signals(os.read(wakeup, 512))
            elif isinstance(key.data, Indexing):
                self._receive_index(key.data)
            elif isinstance(key.data, Comparing):
                key.data.receive()
            elif isinstance(key.data, Trial):
                self._end_trial(key.data)
            else:
                self._receive(key.data)
        # looked for in every turn: of two children that end together only one signal may come
        self._replace_dead()
        for worker in [] if self._stopping else self._pool.due():
            self._fork(worker)
        self._follow()
        if self._stopping and time.monotonic() > self._stop_deadline_s:
            self._pool.kill_all()

    def _timeout_s(self) -> float | None:
        if self._stopping:
            return max(0.0, self._stop_deadline_s - time.monotonic()) + 0.05
        look_s = self._following.until_look_s() if self._follows else None
        return min((wait_s for wait_s in (self._pool.until_due_s(), look_s) if wait_s is not None), default=None)

    # --- what is served

    def _begin_indexing(self, key_files: KeyFiles) -> None:
        self._following.begin()
        try:
            self._indexing = Indexing.begin(self._pool, key_files)
        except OSError as error:
            self._not_indexed(tr("no process can be started for that: {reason}", reason=error.strerror))
            return
        self._selector.register(self._indexing.control.fileno(), selectors.EVENT_READ, self._indexing)

    def _end_indexing(self) -> None:
        if self._indexing is not None:
            self._selector.unregister(self._indexing.control.fileno())
            self._indexing.end()
            self._indexing = None

    def _receive_index(self, indexing: Indexing) -> None:
        if indexing is not self._indexing or not indexing.receive():
            return
        self._end_indexing()
        if indexing.descriptor is None:
            self._not_indexed(indexing.failure)
        elif self._has_begun:
            self._hand_out(indexing.descriptor, indexing.key_files)
        else:
            self._has_begun = True
            self._pool.index = indexing.descriptor
            self._accepted.accept()
            self._following.handed_out()
            self._following.served()
            for worker in self._pool.workers:
                self._fork(worker)
        if self._reload_is_wanted:
            self._reload_is_wanted = False
            self._reload()

    def _not_indexed(self, why: str) -> None:
        if not self._has_begun:
            raise ServeError(
                ErrorId.SERVE_WORKERS_FAILED,
                tr("what is to be served could not be read: {why}", why=why),
                remedy=tr("Mend what is named, then start the mirror again."),
            )
        if self._following.failed(why):
            self._warn(tr("nothing is reloaded: {why}", why=why))
        self._manager.notify("READY=1")

    def _hand_out(self, index: int, key_files: KeyFiles) -> None:
        """Have every worker take over what was read."""
        pool = self._pool
        # what it reads may not be what is served from here on
        self._comparing.end()
        self._accepted.drop_refused()
        self._following.handed_out()
        pool.index, pool.key_files = index, key_files
        pool.generation += 1
        self._reload_answers = {worker.number for worker in pool.workers}
        self._reload_failed = False
        pool.broadcast(Message("reload", key_files=key_files, generation=pool.generation, descriptor=index))

    def _consider_successor(self) -> None:
        if self._succession is not None and not self._stopping:
            self._succession.consider(self._selector)

    def _end_trial(self, trial: Trial) -> None:
        if self._succession is not None and not self._stopping:
            self._succession.decide(trial, self._selector)

    @property
    def _follows(self) -> bool:
        # what changes while it is read is noticed afterwards
        return self._pool.has_started and self._indexing is None and not self._stopping

    def _follow(self) -> None:
        """Have the bundles read anew when they are others, or another one is current; the key files stay."""
        if self._succession is not None:
            self._succession.end_overdue()
        if self._follows and self._following.is_due():
            self._manager.notify("RELOADING=1")
            self._begin_indexing(self._accepted.key_files)

    # --- workers

    def _fork(self, worker: PooledWorker) -> None:
        try:
            self._pool.fork(worker)
        except OSError as error:
            self._warn(tr("a worker cannot be started: {reason}", reason=error.strerror))
            self._pool.schedule_restart(worker)
            return
        assert worker.control is not None  # noqa: S101 - fork has made it
        self._selector.register(worker.control.fileno(), selectors.EVENT_READ, worker)

    def _handle_signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number in _ENDING:
                self._stop()
            elif number == signal.SIGHUP:
                self._reload()
            elif number == signal.SIGUSR1:
                self._reopen_log()

    def _receive(self, worker: PooledWorker) -> None:
        control = worker.control
        if control is None:
            return
        for message in control.receive():
            if message.word == "ready":
                worker.is_ready = True
                self._ready(message.text)
                if worker.generation == self._pool.generation:
                    # it replaces one that died during a reload, and began with what was to be taken over
                    self._answered(worker, message.text, failed=False)
            elif message.word == "reloaded":
                self._reloaded(worker, message, failed=False)
            elif message.word == "failed":
                self._failed(worker, message)
            elif message.word == "compare" and not self._stopping:
                self._comparing.begin(message.text)
        if control.closed:
            self._close_channel(worker)

    def _close_channel(self, worker: PooledWorker) -> None:
        if worker.control is not None:
            self._selector.unregister(worker.control.fileno())
            worker.control.close()
            worker.control = None

    def _ready(self, text: str) -> None:
        if not self._pool.has_started and all(worker.is_ready for worker in self._pool.workers):
            self._pool.has_started = True
            self._say(self._announcement(text))
            self._manager.notify("READY=1", _status(text))
            self._consider_successor()

    def _failed(self, worker: PooledWorker, message: Message) -> None:
        if not self._pool.has_started:
            self._stop_deadline_s = self._stop_deadline_s or time.monotonic() + self._exit_margin_s
            self._pool.broadcast(Message("stop"))
            raise ServeError(
                ErrorId.SERVE_WORKERS_FAILED,
                tr("a worker for {protocol} could not begin: {text}", protocol=worker.protocol, text=message.text),
                remedy=tr("Mend what is named, then start the mirror again."),
            )
        self._warn(tr("a worker for {protocol} failed: {text}", protocol=worker.protocol, text=message.text))
        if message.generation == self._pool.generation:
            self._accepted.return_to()
        self._reloaded(worker, message, failed=True)

    def _replace_dead(self) -> None:
        for worker, code in self._pool.reap():
            if worker.control is not None:
                self._receive(worker)
            self._close_channel(worker)
            if self._stopping:
                continue
            how = tr("was ended by signal {code}", code=-code) if code < 0 else tr("ended with code {code}", code=code)
            pause_s = self._pool.schedule_restart(worker)
            later = tr(" in {pause_s:g} s", pause_s=pause_s) if pause_s else ""
            self._warn(
                tr(
                    "a worker for {protocol} {how}; it is replaced{later}",
                    protocol=worker.protocol,
                    how=how,
                    later=later,
                )
            )

    def _stop(self) -> None:
        if self._stopping:
            # the second signal: whoever sends it does not want to wait
            self._pool.kill_all()
            return
        self._manager.notify("STOPPING=1")
        self._stop_deadline_s = time.monotonic() + self._pool.environment.settings.grace_s + self._exit_margin_s
        self._pool.broadcast(Message("stop"))
        self._pool.kill_starting()
        self._comparing.end()
        if self._succession is not None:
            self._succession.end()
        self._end_indexing()
        # while it is open here, clients would be let in and never answered
        self._pool.close_listeners()

    def _reload(self) -> None:
        if self._stopping:
            return
        if self._indexing is not None:
            # what it has looked at already may be what changed
            self._reload_is_wanted = True
            return
        try:
            key_files = read_key_files(self._pool.environment.settings)
        except BundlerError as error:
            self._warn(tr("nothing is reloaded: {error}", error=error.text()))
            return
        self._following.asked()
        self._manager.notify("RELOADING=1")
        self._begin_indexing(key_files)

    def _reloaded(self, worker: PooledWorker, message: Message, *, failed: bool) -> None:
        if message.generation == self._pool.generation:
            self._answered(worker, message.text, failed=failed)

    def _answered(self, worker: PooledWorker, text: str, *, failed: bool) -> None:
        if worker.number not in self._reload_answers:
            return
        self._reload_answers.discard(worker.number)
        self._reload_failed |= failed
        if self._reload_answers:
            return
        if self._reload_failed:
            self._following.failed("")
            self._manager.notify("READY=1")
            return
        self._accepted.accept()
        self._following.served()
        self._manager.notify("READY=1", _status(text))
        log_line("\n  ".join(["reloaded", *text.splitlines()]))
        self._consider_successor()

    def _reopen_log(self) -> None:
        settings = self._pool.environment.settings
        try:
            descriptor = open_access_log(settings.access_log)
        except BundlerError as error:
            self._warn(tr("the access log stays as it is: {error}", error=error.text()))
            return
        if descriptor is None:
            return
        self._pool.broadcast(Message("reopen-log", descriptor=descriptor))
        if self._pool.log_descriptor is not None:
            with suppress(OSError):
                os.close(self._pool.log_descriptor)
        self._pool.log_descriptor = descriptor


def _status(text: str) -> str:
    """Return what the service manager shows: the first line of the workers' description."""
    return f"STATUS={text.partition(chr(10))[0]}"
