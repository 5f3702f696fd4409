"""Every error id is raised somewhere, and both languages of docs/errors say its cause and remedy."""

from __future__ import annotations

import ast
import re

import pytest

from bundler.errors import ErrorId
from tests.contract.checkout import PRODUCT, ROOT, python_files

PAGES = ("docs/errors.md", "docs/errors.zh-CN.md")
MIN_SENTENCE_CHARACTERS = 6


def _entries(text: str) -> dict[str, list[str]]:
    """Return id -> its texts (cause, remedy, …), written as a heading with paragraphs or as a row of a table.

    A heading holds the id in backquotes and nothing else; a row has the id in backquotes in its first cell.
    """
    found: dict[str, list[str]] = {}
    sections = re.split(r"^#+ +(.*)$", text, flags=re.MULTILINE)
    for heading, body in zip(sections[1::2], sections[2::2], strict=True):
        if named := re.fullmatch(r"`([a-z0-9-]+)`", heading.strip()):
            found[named[1]] = [part for part in re.split(r"\n\s*\n|\n(?=[-*] )", body.strip()) if part.strip()]
    for row in re.findall(r"^\| *`([a-z0-9-]+)` *\|(.*)\|[ \t]*$", text, flags=re.MULTILINE):
        found[row[0]] = [cell.strip() for cell in row[1].split("|")]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_id_has_cause_and_remedy(page: str) -> None:
    entries = _entries((ROOT / page).read_text())
    assert set(entries) == {str(error_id) for error_id in ErrorId}
    for error_id, texts in entries.items():
        said = [text for text in texts if len(text) >= MIN_SENTENCE_CHARACTERS]
        assert len(said) >= 2, f"{page}: {error_id} has no cause and remedy"


def test_both_languages_keep_one_order() -> None:
    english, chinese = (list(_entries((ROOT / page).read_text())) for page in PAGES)
    assert english == chinese


def test_every_id_is_raised() -> None:
    used: set[str] = set()
    for path in python_files(*PRODUCT):
        in_errors = path == ROOT / "bundler" / "errors.py"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ErrorId":
                used |= set() if in_errors else {node.attr}
            # the one class that brings its id along
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ToolMissingError"):
                used.add(ErrorId.TOOL_MISSING.name)
    assert {error_id.name for error_id in ErrorId} - used == set()
