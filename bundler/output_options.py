"""The options that every command of both programs has, before and behind its name: what is told beside the answer.

Owns how they are typed and which one counts; what they do is decided in `diagnostics`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bundler.diagnostics import DIAGNOSTICS, DiagnosticSettings
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHOSEN = "bundler.output_options"
_EXCLUDE = frozenset({"quiet", "verbose"})
_SUMMARY = tr("Options of every command: -q, -v, --no-progress, --log-file, --color; `{program} --help` explains them.")


class OutputOption(click.Option):
    """One of them; the help of the program explains it, that of each command only names it."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return name and text, None for any command but the program itself."""
        return super().get_help_record(ctx) if ctx.parent is None else None


def output_options(program: str) -> list[click.Parameter]:
    """Return the options of a program, which have variables; or, for "", those of a command, which have none.

    What is typed wins over a variable, what is typed behind a command over what is typed before it.
    """
    return [
        _option(program, "-q", "--quiet", is_flag=True, help=tr("Print answers and errors, and nothing else.")),
        _option(program, "-v", "--verbose", is_flag=True, help=tr("Tell each request as well: status, bytes, time.")),
        _option(program, "--no-progress", is_flag=True, help=tr("Show no bars and no lines of progress.")),
        _option(
            program,
            "--log-file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help=tr("Append to FILE, with the time, all that --verbose tells."),
        ),
        _option(
            program,
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            help=tr("Whether messages have colours; `auto`: on a terminal, unless NO_COLOR is set."),
        ),
    ]


def accepting_output_options(command: click.Command, program: str) -> click.Command:
    """Return a command that has the options too; called again, it adds nothing."""
    if not any(isinstance(parameter, OutputOption) for parameter in command.params):
        command.params = [*command.params, *output_options("")]
        command.epilog = command.epilog or _SUMMARY.format(program=program)
    return command


def _option(program: str, *names: str, **settings: Any) -> OutputOption:
    variable = f"{program}_{names[-1].lstrip('-').replace('-', '_')}".upper() if program else None
    return OutputOption(
        names, expose_value=False, is_eager=True, callback=_choose, envvar=variable, show_envvar=True, **settings
    )


def _choose(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Let a value count from now on, if one was given. Raises click.UsageError when two typed ones exclude each other.

    Raises StorageError when the log file cannot be opened.
    """
    source = ctx.get_parameter_source(param.name or "")
    # nothing is done while a shell completes a line
    if ctx.resilient_parsing or source not in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
        return
    typed = source is ParameterSource.COMMANDLINE
    chosen: dict[str, tuple[bool, Any]] = ctx.meta.setdefault(_CHOSEN, {})
    if chosen.get(param.name or "", (False, None))[0] and not typed:
        return
    chosen[param.name or ""] = (typed, value)
    DIAGNOSTICS.configure(_settings(chosen))


def _settings(chosen: dict[str, tuple[bool, Any]]) -> DiagnosticSettings:
    both = [name for name in _EXCLUDE if chosen.get(name, (False, False))[1]]
    dropped: Sequence[str] = ()
    if len(both) == len(_EXCLUDE):
        dropped = [name for name in both if not chosen[name][0]]
        if not dropped:
            raise click.UsageError(tr("--quiet and --verbose exclude each other"))
    return DiagnosticSettings(**{name: value for name, (_, value) in chosen.items() if name not in dropped})
