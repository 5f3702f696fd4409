"""Man pages as text; tests/integration/test_man_pages.py has them read by man and mandoc."""

from __future__ import annotations

import click
import pytest

from bundler.output_options import OutputOption
from scripts.man_pages.__main__ import edition, pages
from scripts.man_pages.page import Edition, man_page
from scripts.man_pages.roff import LINE_CHARACTERS, running
from tests.contract.command_line import commands


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("plain words", "plain words"),
        (".dot 'quote' \"two\"", r"\&.dot \(aqquote\(aq \(dqtwo\(dq"),
        ("--json and C:\\x", r"\-\-json and C:\ex"),
        ("run `bundler build` now", r"run \fBbundler build\fP now"),
        ("~/.bashrc ^ `", r"\(ti/.bashrc \(ha \(ga"),
        ("at…", r"at\[u2026]"),
    ],
)
def test_nothing_in_a_text_is_taken_for_roff(text: str, roff: str) -> None:
    assert running(text) == roff


def test_lines_are_short_and_none_begins_a_request() -> None:
    lines = running(" ".join([".word"] * 100)).split("\n")
    assert max(map(len, lines)) <= LINE_CHARACTERS + len(r"\&")
    assert all(one.startswith(r"\&.") for one in lines)


@click.command(epilog="More.")
@click.argument("file")
@click.option("--level", "-l", type=int, default=3, show_default=True, help="How much.")
def sample(file: str, level: int) -> None:
    """Do it to FILE. Then stop.

    \b
    one    two
    """


def test_a_page_has_all_of_a_help_text() -> None:
    program = click.Context(click.Group("tool"), info_name="tool")
    made = man_page(
        click.Context(sample, parent=program, info_name="do"), [], Edition("1.2", "2026-01-31", [("3", "no")])
    )
    assert (
        made
        == r""".TH "TOOL\-DO" 1 2026-01-31 "tool 1.2" "KubeEdge bundler"
.SH NAME
tool\-do \- Do it to FILE
.SH SYNOPSIS
\fBtool do\fP [OPTIONS] FILE
.SH DESCRIPTION
Do it to FILE. Then stop.
.PP
.nf
one    two
.fi
.SH OPTIONS
.TP
\fB\-l\fP, \fB\-\-level\fP INTEGER
How much. [default: 3]
.TP
\fB\-\-help\fP
Show this message and exit.
.PP
More.
.SH EXIT STATUS
.TP
\fB0\fP
success
.TP
\fB3\fP
no
.SH SEE ALSO
\fBtool\fP(1)
"""
    )


def test_every_command_has_a_page_and_each_page_names_its_options() -> None:
    made = pages()
    assert set(made) == {f"{'-'.join(words)}.1" for words in commands()}
    for words, command in commands().items():
        text = made[f"{'-'.join(words)}.1"].replace("\\-", "-")
        assert r"fB-h\fP" in text
        own = [option for option in command.params if not isinstance(option, OutputOption) or len(words) == 1]
        assert [name for option in own for name in option.opts if name[0] == "-" and name not in text] == []


def test_pages_are_the_same_each_time() -> None:
    assert pages() == pages()


def test_exit_codes_are_those_of_the_readme() -> None:
    assert {"8", "11", "130, 143"} <= {code for code, _ in edition().exit_codes}
