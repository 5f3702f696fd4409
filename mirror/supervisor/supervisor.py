"""The supervisor's life: start the crew, answer signals, replace the dead, end in order.

SIGTERM and SIGINT end it (a second one at once), SIGHUP reloads, SIGUSR1 reopens the access log.
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
from mirror.supervisor.access_file import open_access_log
from mirror.supervisor.key_files import read_material
from mirror.tree.roots import is_replaced
from mirror.worker.control import Message
from mirror.worker.operator_log import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.supervisor.notify import ServiceManager
    from mirror.supervisor.workers import Crew, Member

# beyond the grace period, for workers to write their last lines
FAREWELL_S = 3.0
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
_ENDING = (signal.SIGTERM, signal.SIGINT)


class Supervisor:
    """Watches over one crew.

    Arguments:
        say: tells what is served where, once everybody is ready.
        warn: tells what an operator should know, one line at a time.
        announcement: makes the text for `say` of what the workers said of the site.
    """

    def __init__(
        self,
        crew: Crew,
        manager: ServiceManager,
        *,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        announcement: Callable[[str], str],
    ) -> None:
        self._crew = crew
        self._manager = manager
        self._say, self._warn, self._announcement = say, warn, announcement
        self._selector = selectors.DefaultSelector()
        self._stop_deadline_s = 0.0
        self._reload_answers: set[int] = set()
        self._reload_failed = False
        # the material that everybody has taken over, or began with
        self._accepted = crew.material

    def run(self) -> None:
        """Serve until told to stop. Raises ServeError (SERVE_WORKERS_FAILED) or what a worker said at the start."""
        read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        before = {number: signal.signal(number, lambda *_: None) for number in _HANDLED}
        earlier_wakeup = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._selector.register(read_end, selectors.EVENT_READ, None)
        try:
            # collections in the workers pass over what they share with us, so that it stays shared
            gc.collect()
            gc.freeze()
            for member in self._crew.members:
                self._fork(member)
            while self._crew.by_pid or not self._stopping:
                self._turn(read_end)
        finally:
            self._crew.kill_all()
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
        for key, _ in self._selector.select(self._patience_s()):
            if key.data is None:
                self._signalled(os.read(wakeup, 512))
            else:
                self._heard(key.data)
        # counted here as well: of two children that end together only one signal may come
        self._replace_dead()
        for member in [] if self._stopping else self._crew.due():
            self._fork(member)
        if self._stopping and time.monotonic() > self._stop_deadline_s:
            self._crew.kill_all()

    def _patience_s(self) -> float | None:
        if self._stopping:
            return max(0.0, self._stop_deadline_s - time.monotonic()) + 0.05
        return self._crew.until_due_s()

    def _fork(self, member: Member) -> None:
        try:
            self._crew.fork(member)
        except OSError as error:
            self._warn(f"a worker cannot be started: {error.strerror}")
            self._crew.plan_successor(member)
            return
        assert member.control is not None  # noqa: S101 - fork has made it
        self._selector.register(member.control.fileno(), selectors.EVENT_READ, member)

    def _signalled(self, numbers: bytes) -> None:
        for number in numbers:
            if number in _ENDING:
                self._stop()
            elif number == signal.SIGHUP:
                self._reload()
            elif number == signal.SIGUSR1:
                self._reopen_log()

    def _heard(self, member: Member) -> None:
        control = member.control
        if control is None:
            return
        for message in control.receive():
            if message.word == "ready":
                member.said = True
                self._ready(message.text)
                if member.generation == self._crew.generation:
                    # the successor of one that died during a reload began with what was to be taken over
                    self._answered(member, message.text, failed=False)
            elif message.word == "reloaded":
                self._reloaded(member, message, failed=False)
            elif message.word == "failed":
                self._failed(member, message)
        if control.closed:
            self._forget_line(member)

    def _forget_line(self, member: Member) -> None:
        if member.control is not None:
            self._selector.unregister(member.control.fileno())
            member.control.close()
            member.control = None

    def _ready(self, text: str) -> None:
        if not self._crew.begun and all(member.said for member in self._crew.members):
            self._crew.begun = True
            self._say(self._announcement(text))
            self._manager.tell("READY=1", _status(text))

    def _failed(self, member: Member, message: Message) -> None:
        if not self._crew.begun:
            self._stop_deadline_s = self._stop_deadline_s or time.monotonic() + FAREWELL_S
            self._crew.tell_all(Message("stop"))
            raise ServeError(
                ErrorId.SERVE_WORKERS_FAILED,
                f"a worker for {member.protocol} could not begin: {message.text}",
                remedy="Mend what is named, then start the mirror again.",
            )
        self._warn(f"a worker for {member.protocol} failed: {message.text}")
        if message.generation == self._crew.generation:
            # what made it fail would make every successor fail
            self._crew.material = self._accepted
        self._reloaded(member, message, failed=True)

    def _replace_dead(self) -> None:
        for member, code in self._crew.reap():
            if member.control is not None:
                self._heard(member)
            self._forget_line(member)
            if self._stopping:
                continue
            how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
            pause_s = self._crew.plan_successor(member)
            later = f" in {pause_s:g} s" if pause_s else ""
            self._warn(f"a worker for {member.protocol} {how}; it is replaced{later}")

    def _stop(self) -> None:
        if self._stopping:
            # asked twice: whoever asks does not want to wait
            self._crew.kill_all()
            return
        self._manager.tell("STOPPING=1")
        self._stop_deadline_s = time.monotonic() + self._crew.around.settings.grace_s + FAREWELL_S
        self._crew.tell_all(Message("stop"))
        self._crew.kill_beginners()
        # while it is open here, clients would be let in and never answered
        self._crew.close_listeners()

    def _reload(self) -> None:
        if self._stopping:
            return
        try:
            self._crew.material = read_material(self._crew.around.settings)
        except BundlerError as error:
            self._warn(f"nothing is reloaded: {error.text()}")
            return
        root = self._crew.around.root
        if is_replaced(root):
            self._warn(
                f"{root.name} is not the directory any more that is served: restart the mirror to serve the new one"
            )
        self._crew.generation += 1
        self._manager.tell("RELOADING=1")
        self._reload_answers = {member.number for member in self._crew.members}
        self._reload_failed = False
        message = Message("reload", material=self._crew.material, generation=self._crew.generation)
        self._crew.tell_all(message)

    def _reloaded(self, member: Member, message: Message, *, failed: bool) -> None:
        if message.generation == self._crew.generation:
            self._answered(member, message.text, failed=failed)

    def _answered(self, member: Member, text: str, *, failed: bool) -> None:
        if member.number not in self._reload_answers:
            return
        self._reload_answers.discard(member.number)
        self._reload_failed |= failed
        if self._reload_answers:
            return
        if self._reload_failed:
            self._manager.tell("READY=1")
            return
        self._accepted = self._crew.material
        self._manager.tell("READY=1", _status(text))
        tell("\n  ".join(["reloaded", *text.splitlines()]))

    def _reopen_log(self) -> None:
        settings = self._crew.around.settings
        try:
            descriptor = open_access_log(settings.access_log)
        except BundlerError as error:
            self._warn(f"the access log stays as it is: {error.text()}")
            return
        if descriptor is None:
            return
        self._crew.tell_all(Message("reopen-log", descriptor=descriptor))
        if self._crew.log_descriptor is not None:
            with suppress(OSError):
                os.close(self._crew.log_descriptor)
        self._crew.log_descriptor = descriptor


def _status(text: str) -> str:
    """Return what the service manager shows of what the workers said."""
    return f"STATUS={text.partition(chr(10))[0]}"
