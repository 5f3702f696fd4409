"""One command of the suite, run until it ends, until a signal comes, or until the time for all of them is over."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.suite.child_tree import reaped

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM}
WATCHED = {*ENDING, signal.SIGCHLD}
# in which tests take down what they have set up
GRACE_S = 30


@dataclass(frozen=True, slots=True)
class Step:
    """A command.

    Arguments:
        name: what it is called where it was cut short, or never begun.
        command: the path of a program, and its words.
        environment: added to this process's.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step ended: its exit code, and the signal that cut it short (SIGALRM: the limit), if one did."""

    code: int
    cut: signal.Signals | None = None


def watch_signals(limit_s: int) -> None:
    """Take signals from now on only while a step runs, and one of them when the time is over."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    # 0 would be no limit
    signal.alarm(max(1, limit_s))


def start(step: Step) -> int:
    """Start a command in a session of its own, so that Ctrl-C comes here alone; return its pid."""
    environment = {**os.environ, **step.environment}
    # who is started in the background ignores SIGINT, and so would all that it starts
    return os.posix_spawn(
        step.command[0], step.command, environment, setsid=True, setsigmask=(), setsigdef=(signal.SIGINT,)
    )


def run(step: Step) -> Ending:
    """Run a command. When it is cut short it gets SIGINT with all of its session, and SIGKILL after its grace.

    A second signal in that time kills it at once.
    """
    pid, cut = start(step), None
    while True:
        number = signal.Signals(signal.sigwait(WATCHED))
        # several children may have ended at one SIGCHLD
        code = reaped().get(pid)
        if code is not None:
            return Ending(code, cut)
        if number in ENDING:
            os.killpg(pid, signal.SIGKILL if cut else signal.SIGINT)
            signal.alarm(GRACE_S)
            cut = cut or number
