"""Ctrl-C before a program's work begins and after it has ended: no traceback, whatever is being loaded or wound up.

Loaded first of all, and itself loads only what the interpreter has built in. In between, an interruption is a
KeyboardInterrupt, which `console` reports. What was ignored from the start (nohup, a script's background job) stays so.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # typeshed has its public face alone, which loads enum
from posix import _exit

EXIT_INTERRUPTED = 130
_WANTED: bool = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler


def _end(_number: int, _frame: object) -> None:
    _exit(EXIT_INTERRUPTED)


def end_quietly() -> None:
    """Let an interruption end the process at once: nothing has begun, so nothing is left to tidy up."""
    if _WANTED:
        _signal.signal(_signal.SIGINT, _end)


def raise_interrupts() -> None:
    """Let an interruption be a KeyboardInterrupt, so that work tidies up."""
    if _WANTED:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def finish_quietly() -> None:
    """Let an interruption do nothing: all is done, and what was printed is being written out."""
    if _WANTED:
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
