"""Programs that this process starts and waits for. Owns how long they may take and how much they may print.

`subprocess.run` keeps whatever a program prints, and after a time-out waits for everything that the program has
started; neither is bounded. Refuses to know what a program is for and where it was found.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_STEP_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended by itself: its status (negative: the signal that ended it) and all that it printed."""

    status: int
    stdout: bytes
    stderr: bytes


class PrintsTooMuchError(Exception):
    """A program has printed more than it may, and was killed."""


class TakesTooLongError(Exception):
    """A program has run longer than it may, and was killed."""


class PrintedError(Exception):
    """A program has printed what it was not to print, and was killed; `ended` is what there is of it."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(tr("printed what it was not to print"))
        self.ended = ended


def run_program(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    within_s: float,
    max_bytes: int,
    stdin: bytes | BinaryIO = b"",
    directory: Path | None = None,
    own_group: bool = False,
    stop_at: bytes = b"",
    shows_stderr: bool = False,
) -> Ended:
    """Run a program to its end.

    Arguments:
        command: the program's path and its arguments.
        environment: the whole environment.
        within_s: how long it may run, in seconds.
        max_bytes: how much it may print, to stdout and to stderr each.
        stdin: what it reads: bytes, or a file that it reads itself from where it stands.
        directory: where it runs; this process's own when left out.
        own_group: make it the leader of a process group, so that whatever it has started ends with it when it is
            killed; it cannot ask at the terminal then.
        stop_at: kill it as soon as it prints this, to stdout or stderr; b"" for never.
        shows_stderr: what it prints to stderr goes to this process's and is not kept.

    Raises OSError (it cannot be started), TakesTooLongError, PrintsTooMuchError, PrintedError; it is killed then, and
    also when anything else is raised meanwhile.
    """
    given = stdin if isinstance(stdin, bytes) else b""
    with subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
        stdout=subprocess.PIPE,
        stderr=None if shows_stderr else subprocess.PIPE,
        env=dict(environment),
        cwd=directory,
        process_group=0 if own_group else None,
    ) as program:
        try:
            return _Conversation(program, given, time.monotonic() + within_s, max_bytes, stop_at).ended()
        except subprocess.TimeoutExpired as error:
            _kill(program, own_group)
            raise TakesTooLongError from error
        except BaseException:
            _kill(program, own_group)
            raise


def _kill(program: subprocess.Popen[bytes], own_group: bool) -> None:
    if own_group:
        # the leader is not waited for yet, so that its number is nobody else's
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
    program.kill()


class _Conversation:
    """What goes to and comes from one program."""

    def __init__(
        self, program: subprocess.Popen[bytes], given: bytes, deadline: float, max_bytes: int, stop_at: bytes
    ) -> None:
        if program.stdout is None:
            raise ValueError(tr("a program is read through pipes"))
        self._program = program
        self._left = memoryview(given)
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._stop_at = stop_at
        self._printed = {pipe.fileno(): bytearray() for pipe in (program.stdout, program.stderr) if pipe is not None}

    def ended(self) -> Ended:
        """Feed and read until both outputs are closed, and wait for the program."""
        with selectors.DefaultSelector() as waiting:
            for descriptor in self._printed:
                waiting.register(descriptor, selectors.EVENT_READ)
            if stdin := self._program.stdin:
                os.set_blocking(stdin.fileno(), False)
                waiting.register(stdin, selectors.EVENT_WRITE)
            while waiting.get_map():
                ready = waiting.select(self._remaining_s())
                for key, _ in ready:
                    if key.fd in self._printed:
                        if self._take(key.fd):
                            waiting.unregister(key.fileobj)
                    elif stdin and self._feed(key.fd):
                        waiting.unregister(stdin)
                        stdin.close()
        return self._so_far(self._program.wait(self._remaining_s()))

    def _so_far(self, status: int) -> Ended:
        stdout, *others = map(bytes, self._printed.values())
        return Ended(status, stdout, b"".join(others))

    def _remaining_s(self) -> float:
        remaining_s = self._deadline - time.monotonic()
        if remaining_s <= 0:
            raise TakesTooLongError
        return remaining_s

    def _take(self, descriptor: int) -> bool:
        data = os.read(descriptor, _STEP_BYTES)
        printed = self._printed[descriptor]
        # it may have come in two pieces
        begin = max(0, len(printed) - len(self._stop_at))
        printed += data
        if self._stop_at and (found := printed.find(self._stop_at, begin)) >= 0:
            del printed[found + len(self._stop_at) :]
            raise PrintedError(self._so_far(-signal.SIGKILL))
        if len(printed) > self._max_bytes:
            raise PrintsTooMuchError
        return not data

    def _feed(self, stdin: int) -> bool:
        """Write what the pipe takes; True once there is nothing more to write, or nobody reads it."""
        try:
            while self._left:
                self._left = self._left[os.write(stdin, self._left[:_STEP_BYTES]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True
        return True
