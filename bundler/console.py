"""What a person sees: the one error boundary, tables, progress. stdout is for answers, stderr for everything else.

Owns exit codes of everything that is not a `BundlerError`, and the only Click outside `cli`; refuses to decide
anything about bundles.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import click

from bundler.diagnostics import DIAGNOSTICS, Importance
from bundler.durable import storage_errors
from bundler.errors import BundlerError
from bundler.fitted_table import table_lines as fitted_lines
from bundler.model.duration_text import human_seconds
from bundler.model.failure_answer import Failure, wants_json
from bundler.model.steering import STEERING
from bundler.progress_log import LineLog
from bundler.progress_watchers import Watchers
from bundler.request_log import RequestLog
from bundler.stderr_lines import print_line
from bundler.translation import teach_click, tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from json import JSONEncoder
    from types import FrameType

    from bundler.fitted_table import GivingWay
    from bundler.model.json_value import Json
    from bundler.model.progress import Progress
    from bundler.progress_watchers import ClosingProgress

EXIT_USAGE = 2
EXIT_BUG = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_BROKEN_PIPE = 141
# of a long answer: a few lines of JSON each
PIECES_AT_ONCE = 1000
# one process writes one stdout: set by the first that writes there
_stdout_used = threading.Event()
F = TypeVar("F", bound=Callable[..., Any])


class _NamedPath(click.Path):
    """A path; "" comes from an unset variable of a script and is refused, not taken for the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail(tr("the path is empty"), param, ctx)
        return super().convert(value, param, ctx)


# Click does not check that a path can be read: opening it raises an error with an id and an exit code of its own
FILE = _NamedPath(path_type=Path, readable=False)


def option(program: str, *names: str, variable: str = "", **settings: Any) -> Callable[[F], F]:
    """Return `click.option` with an environment variable, PROGRAM_NAME, which every option has.

    Arguments:
        program: the first part of the variable's name, such as `BUNDLER`.
        variable: its whole name, where that is not derived from the option's.
        settings: for `click.option`.
    """
    long = next(name for name in names if name.startswith("--"))
    envvar = variable or f"{program}_" + long.split("/")[0].lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=envvar, show_envvar=True, **settings)


class Terminated(BaseException):
    """SIGTERM as an exception, so that nothing half-written is left, as with Ctrl-C.

    Not a KeyboardInterrupt, which Click would turn into an Abort.
    """


class _ReaderGoneError(Exception):
    """The reader of stdout closed it, as `head` does; no OSError, for which Click would exit with 1."""


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


@contextmanager
def kept_when_interrupted(text: str) -> Iterator[None]:
    """Let an interruption of the block say what is left of its work, before what goes on with it."""
    try:
        yield
    except (KeyboardInterrupt, Terminated) as interruption:
        interruption.add_note(text)
        raise


def end_at_hangup() -> None:
    """Let SIGHUP, when a terminal or a connection goes, be as SIGTERM from now on; ignored (nohup) it stays so."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _terminate)


def run(command: Callable[[], object], *, program: str) -> int:
    """Run a whole program and return its exit code; every error ends here.

    As text on stderr; where the command line asks for JSON, and no answer was printed, as an object on stdout as well.

    Arguments:
        program: its name, `bundler` or `mirror`.
    """
    _keep_standard_descriptors()
    # an answer does not fail for a letter that its encoding lacks; tests may have another stream there
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    DIAGNOSTICS.reset()
    begun_s = time.monotonic()
    code = _code_of(command, program)
    took = time.monotonic() - begun_s
    detail(tr("{program}: exit {code} after {took:.1f} s", program=program, code=code, took=took))
    DIAGNOSTICS.reset()
    return code


def _code_of(command: Callable[[], object], program: str) -> int:
    try:
        teach_click()
        command()
        return 0
    except BundlerError as error:
        if error.problems:
            _print_on_stderr("\n".join(error.problems))
        _print_on_stderr(tr("error: {summary}", summary=error.summary()), labelled=True)
        failure = Failure.of(error)
    except click.ClickException as error:
        DIAGNOSTICS.keep(shown(tr("error: {summary}", summary=error.format_message())))
        with suppress(OSError):
            error.show()
        help_of = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else program
        remedy = tr("See `{help_of} --help`.", help_of=help_of)
        failure = Failure("usage", EXIT_USAGE, error.format_message(), remedy=remedy)
    except Terminated as error:
        failure = _interruption(Failure("terminated", EXIT_TERMINATED, tr("was told to end")), error, program)
    except (KeyboardInterrupt, click.Abort) as error:
        failure = _interruption(Failure("interrupted", EXIT_INTERRUPTED, tr("was interrupted")), error, program)
    except click.exceptions.Exit as request:
        return request.exit_code
    except (_ReaderGoneError, BrokenPipeError, SystemExit) as end:
        if isinstance(end, SystemExit) and not end.code:
            return 0  # completion for a shell, which Click answers and ends by itself
        # the reader of stdout has gone (while printing a help text, Click exits); with stdout redirected, the
        # interpreter's last flush is silent
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the boundary: any other exception is a bug of ours
        import traceback

        _print_on_stderr(traceback.format_exc().rstrip())
        _print_on_stderr(tr("This is a bug in the tool; please report it with the lines above."))
        failure = Failure("bug", EXIT_BUG, f"{type(error).__name__}: {error}", remedy=tr("Report it."))
    if wants_json(program, sys.argv[1:], os.environ):
        _print_failure(failure.value(program))
    return failure.code


def _interruption(failure: Failure, error: BaseException, program: str) -> Failure:
    """Print what an interruption leaves and what goes on from there, and return the failure with it."""
    # Click raises an exception of its own for Ctrl-C
    kept = " ".join(getattr(error.__cause__ or error, "__notes__", ()))
    if not kept:
        _print_on_stderr(failure.id)
        return failure
    import shlex

    remedy = tr("To go on, type: {value}", value=shlex.join((program, *sys.argv[1:])))
    _print_on_stderr(f"{failure.id}: {kept}\n  {remedy}")
    return replace(failure, what=f"{failure.what}: {kept}", remedy=remedy)


def _print_failure(value: dict[str, Json]) -> None:
    """Print on stdout, unless something stands there; that it cannot take it changes no exit code."""
    if _stdout_used.is_set():
        return
    try:
        click.echo(shown(_encoder().encode(value)))
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _encoder() -> JSONEncoder:
    import json  # an answer for a person needs none; the escapes of stdout are not JSON's beyond U+FFFF

    encoding = (getattr(sys.stdout, "encoding", None) or "").lower()
    return json.JSONEncoder(ensure_ascii=encoding.replace("-", "") != "utf8", indent=2)


def end_process(code: int) -> NoReturn:
    """End this process at once, with its output flushed, but without the interpreter's exit handlers.

    For a forked process, which must not run its parent's exit handlers; and where threads still run that nobody waits
    for: the interpreter would interrupt them anywhere, and native code then aborts the process.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            # AttributeError: there is no stream where the descriptor was closed at the start
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
    finally:
        os._exit(code)


def _keep_standard_descriptors() -> None:
    """Open those of stdin, stdout and stderr that are closed, so that no file of ours gets their number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def shown(text: str) -> str:
    r"""Return a text with everything that could control a terminal (control and bidi characters) written as \uXXXX.

    Much of it was written by an upstream. In JSON the escapes mean the same. So are bytes of names that are not UTF-8.
    """
    return STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def say(text: str, *, newline: bool = True) -> None:
    """Print on stdout; StorageError when it cannot take it."""
    _stdout_used.set()
    try:
        click.echo(shown(text), nl=newline)
    except BrokenPipeError as error:
        raise _ReaderGoneError from error
    except OSError:
        with storage_errors(tr("standard output")):
            raise


def _print_on_stderr(text: str, importance: Importance = Importance.ERROR, *, labelled: bool = False) -> None:
    """Print on stderr; see `print_line`."""
    print_line(shown(text), importance, labelled=labelled)


def answer(
    text: str | Iterable[str],
    value: dict[str, Json] | Callable[[], dict[str, Json]],
    *,
    schema: str,
    as_json: bool,
    require: Callable[[], object] = lambda: None,
) -> None:
    """Print a command's answer on stdout; then raise what the command ends with although it has one, if anything.

    Arguments:
        text: for a person; a long one as its lines.
        value: the same for a program, without its schema; a large one as what returns it.
        schema: name and version such as `bundler.plan/1`; within a version the object only gains fields.
        as_json: which of the two is wanted.
        require: raises the BundlerError that the command ends with; the object holds it as `error`.
    """
    failure: BundlerError | None = None
    try:
        require()
    except BundlerError as error:
        failure = error
    if as_json:
        ended = {} if failure is None else {"error": Failure.of(failure).value(schema.partition(".")[0])}
        known = value() if callable(value) else value
        _say_pieces(_encoder().iterencode({"schema": schema, **known, **ended}))
        say("")
    elif isinstance(text, str):
        if text:
            say(text)
    else:
        _say_pieces(f"{line}\n" for line in text)
    if failure is not None:
        raise failure


def _say_pieces(pieces: Iterable[str]) -> None:
    """Print pieces of a text that may be too long to be held whole."""
    rest = iter(pieces)
    while some := "".join(islice(rest, PIECES_AT_ONCE)):
        say(some, newline=False)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    _print_on_stderr(tr("warning: {text}", text=text), Importance.WARNING, labelled=True)


def remark(text: str) -> None:
    """Print useful information on stderr, such as a choice that was made automatically."""
    _print_on_stderr(text, Importance.REMARK)


def detail(text: str) -> None:
    """Print on stderr what only those want to read who look for a fault, such as a request: with --verbose."""
    if DIAGNOSTICS.wants_details:
        _print_on_stderr(text, Importance.DETAIL)


def request_log() -> RequestLog:
    """Return what tells of requests as details."""
    return RequestLog(detail)


def timed(*, quiet: bool = False) -> Callable[[str, str], None]:
    """Begin to measure; return what tells at the end what was done and how much, and how long that took.

    Arguments:
        quiet: it tells nothing.
    """
    began_s = time.monotonic()

    def tell(done: str, much: str) -> None:
        if not quiet:
            took = human_seconds(time.monotonic() - began_s)
            remark(tr("{done} in {took}: {much}", done=done, took=took, much=much))

    return tell


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], giving_way: Mapping[str, GivingWay] | None = None
) -> str:
    """Return rows under headings in columns; see `table_lines`."""
    return "\n".join(table_lines(headings, rows, giving_way))


def table_lines(
    headings: Sequence[str], rows: Sequence[Sequence[str]], giving_way: Mapping[str, GivingWay] | None = None
) -> Iterator[str]:
    """Yield the same line by line, on a terminal as wide as that is.

    Arguments:
        giving_way: by heading, which columns may be shorter there, the first one first.
    """
    return fitted_lines(headings, rows, columns=_columns_of(sys.stdout), giving_way=giving_way)


def _columns_of(stream: TextIO | None) -> int | None:
    """Return how wide a terminal is; None for what is none, or does not tell."""
    if stream is None or not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except OSError:
        return None


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Show bars on a terminal, a log otherwise, nothing when quiet; bars are removed at the block's end.

    The log has a line for each item as long as they are few or slow; of thousands it has one every few seconds, which
    tells how many there were.
    """
    watched = _watched(quiet=quiet)
    try:
        yield watched
    finally:
        watched.close()


def _watched(*, quiet: bool) -> ClosingProgress:
    """Return bars or lines; what is no line on stderr, and so is not in the log file by that, goes there by itself."""
    settings = DIAGNOSTICS.settings
    kept = LineLog(lambda text: DIAGNOSTICS.keep(shown(text)))
    if quiet:
        return kept
    if settings.no_progress:
        return LineLog(remark, items=False)
    # lines of --verbose would fall between bars
    if settings.quiet or settings.verbose or not _takes_bars():
        return LineLog(remark)
    from bundler.progress_bars import Bars  # loads tqdm, and only a terminal shows bars

    bars = Bars(sys.stderr, shown)
    return Watchers((bars, kept)) if DIAGNOSTICS.keeps_log else bars


def _takes_bars() -> bool:
    """Tell whether stderr is a terminal that can draw a line anew: not one without columns, as serial lines are."""
    return os.environ.get("TERM") != "dumb" and _columns_of(sys.stderr) is not None
