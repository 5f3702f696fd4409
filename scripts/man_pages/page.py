"""One command's help text as a man page. Pure."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from scripts.man_pages.roff import bold, escaped, heading, running, title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MANUAL = "KubeEdge bundler"
# what Click takes for a paragraph whose lines are kept
_KEPT = "\b"
_OPTION = re.compile(r"(--?[A-Za-z][\w-]*)")


@dataclass(frozen=True, slots=True)
class Edition:
    """What all pages have in common.

    Arguments:
        version: of the programs.
        date: of the release, as YYYY-MM-DD.
        exit_codes: each code and what it means.
    """

    version: str
    date: str
    exit_codes: Sequence[tuple[str, str]]


def page_name(words: Sequence[str]) -> str:
    """Return what the page of a command is called: `bundler-build` for `bundler build`."""
    return "-".join(words)


def man_page(context: click.Context, children: Sequence[str], edition: Edition) -> str:
    """Return the page of a command.

    Arguments:
        context: of the command, below that of its program.
        children: the names of its subcommands.
    """
    command, words = context.command, context.command_path.split()
    own = page_name(words)
    lines = [title(own.upper(), edition.date, f"{words[0]} {edition.version}", MANUAL)]
    lines += [heading("NAME"), running(f"{own} - {_summary(command)}")]
    lines += [
        heading("SYNOPSIS"),
        f"{bold(' '.join(words))} {escaped(' '.join(command.collect_usage_pieces(context)))}",
    ]
    lines += [heading("DESCRIPTION"), *_paragraphs(command.help or "")]
    lines += [heading("OPTIONS"), *_options(context), *_paragraphs(command.epilog or "", first=False)]
    if children and isinstance(command, click.Group):
        lines += [heading("COMMANDS"), *_commands(context, command, children)]
    lines += [heading("EXIT STATUS"), *_terms([("0", "success"), *edition.exit_codes])]
    pages = [page_name([*words, child]) for child in children]
    parents = [page_name(words[:-1])] if len(words) > 1 else []
    if related := [*parents, *pages]:
        lines += [heading("SEE ALSO"), ",\n".join(rf"{bold(name)}(1)" for name in related)]
    return "\n".join(lines) + "\n"


def _summary(command: click.Command) -> str:
    """Return the first sentence of the help text, as a phrase."""
    first = inspect.cleandoc(command.help or "").partition("\n\n")[0]
    return " ".join(first.split()).partition(". ")[0].rstrip(".")


def _paragraphs(text: str, *, first: bool = True) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(text).split("\n\n") if text else ()):
        if number or not first:
            yield ".PP"
        rows = paragraph.strip("\n").split("\n")
        if rows[0].strip() == _KEPT:
            yield from (".nf", *(escaped(row) for row in rows[1:]), ".fi")
        else:
            yield running(paragraph)


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        names, text = parameter.get_help_record(context) or ("", "")
        # newer Click names arguments as well, of which the description speaks
        if text:
            marked = "".join(bold(part) if _OPTION.fullmatch(part) else escaped(part) for part in _OPTION.split(names))
            yield from (".TP", marked, running(text))


def _commands(context: click.Context, group: click.Group, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        child = group.get_command(context, name)
        if child is not None:
            page = page_name([*context.command_path.split(), name])
            yield from (".TP", f"{bold(page)}(1)", running(_summary(child)))


def _terms(terms: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, text in terms:
        yield from (".TP", bold(name), running(text))
