"""What Tab offers: every command and option, files wherever a file is wanted, and nothing is loaded for it in vain."""

from __future__ import annotations

import re

import click
import pytest
from click.shell_completion import CompletionItem, ShellComplete

from tests.contract.command_line import PROGRAMS, commands

# what the name of a value, or of an argument, says of it
_FILES = re.compile(r"\b(FILE|DIR|SOURCE|MANIFEST|LOCKS|OLD|NEW)\b")
# values with a part of their own before a path
_MIXED = {"--share", "--client-cert"}


def offered(words: list[str], incomplete: str) -> list[CompletionItem[str]]:
    program, *rest = words
    return ShellComplete(PROGRAMS[program], {}, program, "_X").get_completions(rest, incomplete)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_is_offered(words: tuple[str, ...]) -> None:
    command = commands()[words]
    names = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
    assert set(names) <= {item.value for item in offered([*words], "--")}
    if isinstance(command, click.Group):
        assert {item.value for item in offered([*words], "")} == set(command.list_commands(click.Context(command)))


def test_files_are_offered_wherever_a_file_is_wanted() -> None:
    unoffered, counted = [], 0
    for words, command in commands().items():
        for parameter in command.params:
            name = parameter.metavar or (parameter.name or "").upper()
            takes_file = isinstance(parameter.type, click.Path) or _FILES.search(name)
            if not takes_file or _MIXED & set(parameter.opts):
                continue
            counted += 1
            found = parameter.shell_complete(click.Context(command), "x")
            unoffered += [] if [item.type for item in found] in (["file"], ["dir"]) else [(*words, name)]
    assert counted > 50
    assert unoffered == []


def test_choices_are_offered() -> None:
    assert [item.value for item in offered(["bundler", "site", "plan"], "")] == ["cloud", "edge"]
    assert [item.value for item in offered(["mirror", "serve", "--log-format"], "")] == ["combined", "json"]


def test_nothing_is_done_while_a_line_is_completed() -> None:
    assert offered(["bundler", "--log-file", "/nowhere/log", "-q", "-v", "store"], "in")[0].value == "info"
