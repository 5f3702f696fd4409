"""The texts for people in the source: what passes through `bundler.translation`, and the docstrings of commands."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("bundler", "mirror")
# function -> how many of its first arguments are texts
_FUNCTIONS = {"tr": 1, "marked": 1, "tr_plural": 2}
_OWNER = "bundler/translation.py"


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text in English.

    Arguments:
        one: the text, of one where it has a number.
        many: the text of any other number; "" for a text without one.
        files: where it stands, from the root, sorted.
    """

    one: str
    many: str
    files: tuple[str, ...]

    @property
    def id(self) -> str | tuple[str, str]:
        """As catalogues have it."""
        return (self.one, self.many) if self.many else self.one


def source_texts(root: Path) -> dict[str, SourceText]:
    """Return every text, in the order of files and lines. Raises ValueError for one that is no literal."""
    found: dict[str, SourceText] = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            for one, many in () if name == _OWNER else _texts(ast.parse(path.read_text()), name):
                earlier = found.get(one, SourceText(one, many, ()))
                files = tuple(sorted({*earlier.files, name}))
                found[one] = SourceText(one, many or earlier.many, files)
    return found


def _texts(tree: ast.Module, file: str) -> Iterator[tuple[str, str]]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call | ast.FunctionDef)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.FunctionDef):
            if any(map(_makes_a_command, node.decorator_list)) and (text := ast.get_docstring(node)):
                yield inspect.cleandoc(text), ""
        elif isinstance(node.func, ast.Name) and (count := _FUNCTIONS.get(node.func.id)):
            one, *others = (_literal(argument, file) for argument in node.args[:count])
            yield one, "".join(others)


def _makes_a_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in ("command", "group")


def _literal(node: ast.expr, file: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"{file}:{node.lineno}: a text for the catalogue has to be a literal")
