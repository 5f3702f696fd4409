"""Commands that messages and the mirror's page name exist.

Those that one of `bundler site` says to run can be run as they stand.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from mirror.page.languages import LANGUAGES
from scripts.catalogues.files import OURS, CatalogueFile
from tests.contract.checkout import PRODUCT, ROOT, python_files
from tests.contract.command_line import usage_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED = re.compile(r"(?P<before>\w* ?)`(?P<command>(?:bundler|mirror) [^`]+)`")
# stands for whatever a message fills in: a role, a host, a path
_FILLED_IN = "edge"
_FIELD = re.compile(r"\{\w+(?:![rsa])?(?::[^{}]*)?\}")
# a command that is only spoken of may lack what has to follow it; a group without a subcommand shows its help
_LEFT_OUT = re.compile(r"Missing (argument|option)|.* requires an argument\.|Usage: ")
# where what a message says to run is held to be complete
_SITE = ("bundler/site/", "bundler/cli/site/")


def _messages(tree: ast.Module) -> Iterator[str]:
    """Yield every text of a module that is no docstring, with something filled in."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, documented)]
    skipped = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else _FILLED_IN for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield _FIELD.sub(_FILLED_IN, node.value)


def _named() -> Iterator[tuple[str, str, str]]:
    """Yield file, the word before it, and the command, of every command in a message."""
    messages = [(path, text) for path in python_files(*PRODUCT) for text in _messages(ast.parse(path.read_text()))]
    catalogue = CatalogueFile(ROOT, OURS)
    english = {text for _, text in messages}
    translated = [
        (catalogue.po, _FIELD.sub(_FILLED_IN, str(message.string)))
        for message in catalogue.messages()
        if _FIELD.sub(_FILLED_IN, str(message.id)) in english
    ]
    for path, text in (*messages, *translated):
        for found in _NAMED.finditer(text):
            command = found["command"].replace("ROLE", _FILLED_IN).replace("…", "")
            yield str(path.relative_to(ROOT)), found["before"].strip().lower(), command


def test_every_command_that_a_message_names_exists() -> None:
    named = list(_named())
    wrong = []
    for file, before, command in named:
        problem = usage_problem(shlex.split(command))
        is_complete = before == "run" and file.startswith(_SITE)
        if problem and (is_complete or not _LEFT_OUT.match(problem)):
            wrong.append(f"{file}: {command}: {problem}")
    assert len(named) > 120
    assert wrong == []


# in words that people read a command stands between backticks, or begins one of the page's code elements
_IN_WORDS = re.compile(r"`((?:bundler|mirror) [^`]+)`")
_IN_TEMPLATES = re.compile(r"<code>((?:bundler|mirror) [^<]+)</code>")
_VALUE = re.compile(r"\{\{[^}]*\}\}|\{\w+\}")


def _wrong_and_named(commands: list[str]) -> tuple[list[str], list[str]]:
    """Return what is wrong with commands, of which some are only spoken of, and the commands."""
    named = [_VALUE.sub(_FILLED_IN, command) for command in commands]
    problems = {command: usage_problem([*shlex.split(command), "--help"]) for command in named}
    return [f"{command}: {problem}" for command, problem in problems.items() if problem], named


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_in_the_page_s_words_exists(language: str) -> None:
    texts = json.loads((resources.files("mirror.page") / "words" / f"{language}.json").read_text())
    wrong, named = _wrong_and_named([found for text in texts.values() for found in _IN_WORDS.findall(text)])
    assert wrong == []
    assert {"bundler activate", "bundler push-images", "bundler verify", "mirror verify"} <= {
        " ".join(command.split()[:2]) for command in named
    }


def test_every_command_in_the_page_s_templates_exists() -> None:
    files = (resources.files("mirror.page") / "templates").iterdir()
    wrong, named = _wrong_and_named([found for file in files for found in _IN_TEMPLATES.findall(file.read_text())])
    assert wrong == []
    # words are where they can be translated
    assert named == []
