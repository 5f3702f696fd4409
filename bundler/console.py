"""What a person sees: the one error boundary, tables, progress. stdout carries answers, stderr everything else.

Owns exit codes of everything that is not a `BundlerError`, and the only Click outside `cli`; refuses to decide
anything about bundles.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import click
from tqdm import tqdm

from bundler.errors import BundlerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from bundler.model.json_value import Json
    from bundler.model.progress import Progress, Task

EXIT_USAGE = 2
EXIT_BUG = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_BROKEN_PIPE = 141


class Terminated(BaseException):
    """SIGTERM, unwound like Ctrl-C so that nothing half-written stays behind.

    Not a KeyboardInterrupt, which Click would turn into an Abort.
    """


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def run(command: Callable[[], object]) -> int:
    """Run a whole program and return its exit code; every error ends here, as text on stderr."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        command()
        sys.stdout.flush()
    except BundlerError as error:
        click.echo(f"error: {error.text()}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except Terminated:
        click.echo("terminated", err=True)
        return EXIT_TERMINATED
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.exceptions.Exit as request:
        return request.exit_code
    except BrokenPipeError:
        # the reader of stdout has gone; pointing it elsewhere keeps the interpreter's last flush silent
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except Exception:  # noqa: BLE001 - the boundary: whatever else comes here is a bug of ours
        traceback.print_exc()
        click.echo("This is a bug in the tool; please report it with the lines above.", err=True)
        return EXIT_BUG
    return 0


def answer(text: str, value: dict[str, Json], *, schema: str, as_json: bool) -> None:
    """Print a command's answer on stdout.

    Arguments:
        text: for a person.
        value: the same for a program, without its schema.
        schema: name and version such as `bundler.plan/1`; within a version the object only gains fields.
        as_json: which of the two is wanted.
    """
    if as_json:
        click.echo(json.dumps({"schema": schema, **value}, ensure_ascii=False, indent=2))
    elif text:
        click.echo(text)


def warn(text: str) -> None:
    """Tell something on stderr that does not stop the work."""
    click.echo(f"warning: {text}", err=True)


def human_bytes(count: float) -> str:
    """Return a size as a person reads it, in powers of 1024: 1.5 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under headings in columns; the last column is not padded."""
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    padded = ([f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def progress(*, quiet: bool = False) -> Progress:
    """Return bars on a terminal, one line per item otherwise, neither when quiet."""
    if quiet:
        return _Lines(lambda _: None)
    if sys.stderr.isatty():
        return _Bars()
    return _Lines(lambda text: click.echo(text, err=True))


@dataclass(slots=True)
class _LineTask:
    label: str
    say: Callable[[str], None]
    moved: int = 0
    ended: bool = False

    def advance(self, count: int) -> None:
        self.moved += count

    def note(self, text: str) -> None:
        self.say(f"{self.label}: {text}")

    def finish(self, outcome: str = "") -> None:
        if not self.ended:
            self.ended = True
            self.say(f"{self.label}: {outcome or 'done'}" + (f", {human_bytes(self.moved)}" if self.moved else ""))


@dataclass(slots=True)
class _Lines:
    """One line per item, for logs."""

    say: Callable[[str], None]

    def expect(self, total_bytes: int) -> None:
        if total_bytes:
            self.say(f"{human_bytes(total_bytes)} to go")

    def task(self, label: str, total_bytes: int | None) -> Task:  # noqa: ARG002 - only bars need the total
        return _LineTask(label, self.say)

    def note(self, text: str) -> None:
        self.say(text)


@dataclass(slots=True)
class _BarTask:
    bar: Any
    whole: Any
    label: str
    ended: bool = False

    def advance(self, count: int) -> None:
        self.bar.update(count)
        self.whole.update(count)

    def note(self, text: str) -> None:
        tqdm.write(f"{self.label}: {text}", file=sys.stderr)

    def finish(self, outcome: str = "") -> None:
        if not self.ended:
            self.ended = True
            self.bar.close()
            if outcome:
                self.note(outcome)


@dataclass(slots=True)
class _Bars:
    """A bar for the whole at the bottom and one for each item on its way: bytes, rate, time left."""

    whole: Any = field(default_factory=lambda: _bar("total", 0, leave=True))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, total_bytes: int) -> None:
        with self.lock:
            self.whole.total += total_bytes
            self.whole.refresh()

    def task(self, label: str, total_bytes: int | None) -> Task:
        return _BarTask(_bar(label[-40:], total_bytes, leave=False), self.whole, label)

    def note(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr)


def _bar(label: str, total_bytes: int | None, *, leave: bool) -> Any:
    shape: dict[str, Any] = {"unit": "B", "unit_scale": True, "unit_divisor": 1024}
    return tqdm(total=total_bytes, desc=label, leave=leave, file=sys.stderr, **shape)
