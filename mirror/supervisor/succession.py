"""The mirror that the active bundle brings takes the place of this one: tried out first, then in the same process.

Only a mirror that runs from a bundle of its root is replaced. One that cannot begin changes nothing: this one goes on,
says so, and health turns red.
"""

from __future__ import annotations

import os
import selectors
import signal
import stat
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler import console
from bundler.translation import tr
from mirror.shared.counters import Field
from mirror.supervisor.handover import VARIABLE, Handover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mirror.supervisor.workers import WorkerPool

_RUNTIME, _LAUNCHER = "runtime", "bin/mirror"
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
STARTED = b"1"
# far longer than reading the largest bundle that is served takes; where digests are compared nobody knows how long
TRIAL_WITHIN_S = 900.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A process that tries whether the successor can begin.

    Arguments:
        launcher: what it runs.
        pid: of the process, and of its group.
        report: the end of a pipe on which it says that it could, or that just ends.
        began_s: on the monotonic clock.
    """

    launcher: Path
    pid: int
    report: int
    began_s: float

    def end(self) -> None:
        """End it, with all that it has started; the report ends then."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Succession:
    """Replaces one supervisor.

    Arguments:
        prefix: where this Python lies (`sys.prefix`).
        arguments: of this program, the command first.
        environment: as this program got it.
        warn: tells the operator a line.
        trial_within_s: how long a trial may take, unless it compares digests.
    """

    def __init__(
        self,
        pool: WorkerPool,
        *,
        prefix: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        warn: Callable[[str], None],
        trial_within_s: float = TRIAL_WITHIN_S,
    ) -> None:
        self._pool = pool
        self._prefix = Path(prefix)
        self._arguments = tuple(arguments)
        self._environment = environment
        self._warn = warn
        self._trial_within_s = trial_within_s
        self._trial: Trial | None = None
        # whether the trial was ended for another's sake: then it tells nothing of its own
        self._is_given_up = False

    def consider(self, selector: selectors.BaseSelector) -> None:
        """Begin to try the successor out, when the active bundle brings another mirror than this one.

        A trial of one that is not active any more is ended; when that is over, the active one's turn comes.
        """
        launcher = self._successor()
        if self._trial is not None:
            if launcher != self._trial.launcher:
                self._trial.end()
                self._is_given_up = True
            return
        if launcher is None:
            self._hold_back(failed=False)
            return
        try:
            self._trial = self._tried(launcher)
        except OSError as error:
            self._failed(launcher, tr("no process can be started for that: {reason}", reason=error.strerror))
            return
        selector.register(self._trial.report, selectors.EVENT_READ, self._trial)

    def decide(self, trial: Trial, selector: selectors.BaseSelector) -> None:
        """Take note of what a trial has come to: this process is the successor then, and does not return from here."""
        selector.unregister(trial.report)
        could = os.read(trial.report, 1) == STARTED
        os.close(trial.report)
        with suppress(ChildProcessError):
            os.waitpid(trial.pid, 0)
        given_up, self._trial, self._is_given_up = self._is_given_up, None, False
        if given_up or self._successor() != trial.launcher:
            # another one was activated meanwhile
            self.consider(selector)
        elif could:
            self._replace(trial.launcher)
        elif self._is_overdue(trial):
            self._failed(trial.launcher, tr("after {seconds:g} s it had not begun", seconds=self._trial_within_s))
        else:
            self._failed(trial.launcher, tr("it could not begin, as is said above"))

    def end(self) -> None:
        """End a trial that is under way."""
        if self._trial is not None:
            self._trial.end()

    def end_overdue(self) -> None:
        """End a trial that takes too long: whatever it waits for, it may never come."""
        if self._trial is not None and self._is_overdue(self._trial):
            self._trial.end()

    def _is_overdue(self, trial: Trial) -> bool:
        compares = self._pool.environment.settings.verify
        return not compares and time.monotonic() - trial.began_s > self._trial_within_s

    def _successor(self) -> Path | None:
        """Return the launcher of the active bundle, None where that is this one's, or brings none."""
        root = self._pool.environment.root
        real = Path(os.path.realpath(root.path))
        own = self._prefix.parent.parent
        if self._prefix.parent.name != _RUNTIME or real not in (own, own.parent):
            return None
        try:
            current = root.current()
        except OSError:
            return None
        active = None if current is None else real / current
        if active is None or active == own or not (active / _LAUNCHER).is_file():
            return None
        return active / _LAUNCHER

    def _tried(self, launcher: Path) -> Trial:
        _require_own(launcher)
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError:
            os.close(ours)
            os.close(theirs)
            raise
        if pid == 0:
            try:
                os.setpgid(0, 0)
                environment = {name: value for name, value in self._environment.items() if name != "NOTIFY_SOCKET"}
                self._execute(launcher, Handover(self._listeners(), report=theirs), environment)
            finally:
                console.end_process(1)
        os.close(theirs)
        # whichever comes first: it is ended by its group
        with suppress(OSError):
            os.setpgid(pid, pid)
        return Trial(launcher, pid, ours, time.monotonic())

    def _replace(self, launcher: Path) -> None:
        channels = tuple(worker.control.fileno() for worker in self._pool.workers if worker.control is not None)
        # a signal that comes before the successor handles it must not end it
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGUSR1)}
        handover = Handover(self._listeners(), channels)
        try:
            self._execute(launcher, handover, self._environment)
        except OSError as error:
            for descriptor in handover.descriptors():
                os.set_inheritable(descriptor, False)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._failed(launcher, error.strerror or str(error))

    def _execute(self, launcher: Path, handover: Handover, environment: Mapping[str, str]) -> None:
        for descriptor in handover.descriptors():
            os.set_inheritable(descriptor, True)
        handed = {**environment, VARIABLE: handover.encoded(os.getpid())}
        os.execve(launcher, [str(launcher), *self._arguments], handed)  # noqa: S606 - root's own, see `_require_own`

    def _listeners(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        for worker in self._pool.workers:
            for listener in worker.listeners:
                flag = "registry" if listener is worker.registry else worker.protocol
                found.setdefault(flag, []).append(listener.fileno())
        return {flag: tuple(descriptors) for flag, descriptors in found.items()}

    def _failed(self, launcher: Path, why: str) -> None:
        self._hold_back(failed=True)
        self._warn(tr("{launcher} does not take over, and this mirror goes on: {why}", launcher=launcher, why=why))

    def _hold_back(self, *, failed: bool) -> None:
        self._pool.environment.counters.slots[0].set(Field.SUCCESSOR_FAILED, int(failed))


def _require_own(launcher: Path) -> None:
    """Refuse what others could have put there, since this process has more rights than they. Raises OSError."""
    for path in (launcher.parent.parent, launcher.parent, launcher):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or status.st_mode & _BY_OTHERS or status.st_uid not in (0, os.geteuid()):
            raise PermissionError(0, tr("others could have written {path}", path=path))
