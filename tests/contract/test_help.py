"""Every --help text is a golden file; REGENERATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from bundler.columns import width
from tests.contract.checkout import ROOT
from tests.contract.command_line import commands
from tests.contract.help_pages import CHINESE, ENGLISH, WIDTHS, help_pages

if TYPE_CHECKING:
    from pathlib import Path

    import click

GOLDEN = ROOT / "tests" / "golden"
DIRECTORIES = {ENGLISH: GOLDEN / "help", CHINESE: GOLDEN / "help.zh-CN"}


@pytest.mark.parametrize("locale", DIRECTORIES)
def test_help_texts_are_the_golden_ones(locale: str) -> None:
    said, directory = help_pages(locale), DIRECTORIES[locale]
    if os.environ.get("REGENERATE_GOLDEN"):
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            old.unlink()
        for name, text in said.items():
            (directory / name).write_text(text)
    kept = {path.name: path.read_text() for path in directory.iterdir()}
    assert said == kept, "read the change, then REGENERATE_GOLDEN=1 scripts/check"


def test_chinese_pages_fit_their_terminal() -> None:
    lines = [line for path in _chinese_files() for line in path.read_text().splitlines()]
    assert [line for line in lines if width(line) > WIDTHS[CHINESE]] == []


def test_chinese_pages_have_no_line_in_english() -> None:
    pages = [
        re.sub(r"`[^`]*`|^用法：.*$|^ *~/.*$", "", path.read_text(), flags=re.MULTILINE) for path in _chinese_files()
    ]
    assert [found for page in pages for found in re.findall(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", page)] == []


def _chinese_files() -> list[Path]:
    return sorted(DIRECTORIES[CHINESE].iterdir())


def test_every_command_and_option_says_what_it_is_for() -> None:
    silent = []
    for path, command in commands().items():
        silent += [] if command.help else [" ".join(path)]
        silent += [f"{' '.join(path)} {parameter.opts[0]}" for parameter in _options(command) if not parameter.help]
    assert silent == []


def _options(command: click.Command) -> list[click.Option]:
    import click

    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]
