"""Every --help text is a golden file; REGENERATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from click.testing import CliRunner

from tests.contract.checkout import ROOT
from tests.contract.command_line import PROGRAMS, commands

if TYPE_CHECKING:
    import click

GOLDEN = ROOT / "tests" / "golden" / "help"
WIDTH = 100


def _help(path: tuple[str, ...]) -> str:
    answer = CliRunner().invoke(PROGRAMS[path[0]], [*path[1:], "--help"], prog_name=path[0], terminal_width=WIDTH)
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_help_texts_are_the_golden_ones() -> None:
    said = {f"{'-'.join(path)}.txt": _help(path) for path in commands()}
    if os.environ.get("REGENERATE_GOLDEN"):
        GOLDEN.mkdir(parents=True, exist_ok=True)
        for old in GOLDEN.iterdir():
            old.unlink()
        for name, text in said.items():
            (GOLDEN / name).write_text(text)
    kept = {path.name: path.read_text() for path in GOLDEN.iterdir()}
    assert said == kept, "read the change, then REGENERATE_GOLDEN=1 scripts/check"


def test_every_command_and_option_says_what_it_is_for() -> None:
    silent = []
    for path, command in commands().items():
        silent += [] if command.help else [" ".join(path)]
        silent += [f"{' '.join(path)} {parameter.opts[0]}" for parameter in _options(command) if not parameter.help]
    assert silent == []


def _options(command: click.Command) -> list[click.Option]:
    import click

    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]
