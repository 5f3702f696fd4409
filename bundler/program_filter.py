"""Bytes passed through a program: what it reads and what it prints, in pieces, in bounded memory.

Refuses to bound its time, unlike `bundler.child_process`: it ends when the pieces do, or when it is closed.
"""

from __future__ import annotations

import os
import selectors
import subprocess
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

_STEP_BYTES = 64 * 1024


class FailedFilterError(Exception):
    """A program has ended with a status other than 0, or before it had read all."""


def filtered(
    command: Sequence[str], pieces: Iterable[bytes], *, environment: Mapping[str, str]
) -> Generator[bytes, None, None]:
    """Yield what a program prints to stdout while it is fed.

    Arguments:
        command: the program's path and its arguments.
        pieces: what it reads.
        environment: the whole environment.

    Raises, while iterating, FailedFilterError, OSError (it cannot be started), and what the pieces raise. It is killed
    then, and when the iterator is closed.
    """
    with subprocess.Popen(
        list(command),
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
    ) as program:
        try:
            is_all_read = yield from _exchanged(program, pieces)
        except BaseException:
            program.kill()
            raise
        if program.wait() or not is_all_read:
            raise FailedFilterError(tr("it has ended with status {status}", status=program.returncode))


def _exchanged(program: subprocess.Popen[bytes], pieces: Iterable[bytes]) -> Generator[bytes, None, bool]:
    """Yield what a program prints; return whether it has read all."""
    if program.stdin is None or program.stdout is None:
        raise ValueError(tr("a program is read through pipes"))
    stdin, stdout = program.stdin.fileno(), program.stdout.fileno()
    os.set_blocking(stdin, False)
    left = memoryview(b"")
    coming = iter(pieces)
    with selectors.DefaultSelector() as waiting:
        waiting.register(stdin, selectors.EVENT_WRITE)
        waiting.register(stdout, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fd == stdout:
                    if not (data := os.read(stdout, _STEP_BYTES)):
                        return stdin not in waiting.get_map()
                    yield data
                elif left or (left := memoryview(next(coming, b""))):
                    left = left[_write(stdin, left) :]
                else:
                    waiting.unregister(stdin)
                    program.stdin.close()


def _write(descriptor: int, data: memoryview) -> int:
    """Return how much the pipe has taken."""
    try:
        return os.write(descriptor, data[:_STEP_BYTES])
    except BlockingIOError:
        return 0
    except BrokenPipeError as error:
        raise FailedFilterError(tr("it reads no more")) from error
