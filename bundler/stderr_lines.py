"""Lines on stderr: those that matter enough, their labels in colours where there are colours; the log file has all."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress

import click

from bundler.diagnostics import DIAGNOSTICS, Importance

_COLORS = {Importance.ERROR: "red", Importance.WARNING: "yellow"}
# of both languages
_LABEL = re.compile("[^:：]*[:：]")


def print_line(text: str, importance: Importance, *, labelled: bool) -> None:
    """Print a text, and keep it in the log file; that nobody can read it does not stop the work.

    Arguments:
        text: must not steer a terminal.
        labelled: whether it begins with a label and a colon, such as `error:`.
    """
    DIAGNOSTICS.keep(text)
    if not DIAGNOSTICS.shows(importance):
        return
    colored = labelled and DIAGNOSTICS.colors(os.environ, terminal=_on_terminal())
    try:
        click.echo(_painted(text, importance) if colored else text, err=True, color=colored or None)
    except OSError:
        # the interpreter's last flush would fail again, and change the exit code
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _on_terminal() -> bool:
    # there is no stream where the descriptor was closed at the start
    return sys.stderr is not None and sys.stderr.isatty()


def _painted(text: str, importance: Importance) -> str:
    label = _LABEL.match(text)
    head = "" if label is None else label[0]
    return click.style(head, fg=_COLORS.get(importance), bold=True) + text[len(head) :]
