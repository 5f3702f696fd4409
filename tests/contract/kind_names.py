"""Where a program knows a kind of content by name, as far as its syntax tells."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOOK_UPS = {"get", "pop", "setdefault"}


def knowledge_of_kinds(source: str, names: frozenset[str], packages: frozenset[str]) -> Iterator[str]:
    """Yield `line: what` for every place that depends on which kinds there are.

    That is: a kind's module that is imported, and a string equal to a kind's name that is compared, matched, given a
    name, or a key. A dictionary or a list counts when kinds make up more than half of it: one that has such a word
    beside others (an answer's `files`) is no table of kinds.

    Arguments:
        names: of the kinds.
        packages: the dotted names of their packages.
    """
    for node in ast.walk(ast.parse(source)):
        if what := _imported(node, packages) or _known(node, names):
            yield f"{getattr(node, 'lineno', 0)}: {what}"


def _imported(node: ast.AST, packages: frozenset[str]) -> str:
    match node:
        case ast.Import():
            modules = [alias.name for alias in node.names]
        case ast.ImportFrom():
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        case ast.Constant(value=str(text)):
            modules = [text]
        case _:
            return ""
    found = next((name for name in modules for package in packages if f"{name}.".startswith(f"{package}.")), "")
    return f"imports {found}" if found else ""


def _known(node: ast.AST, names: frozenset[str]) -> str:
    match node:
        case ast.Compare():
            sides = [part for side in (node.left, *node.comparators) for part in _parts(side)]
            return _sentence("compares", _named(sides, names))
        case ast.MatchValue():
            return _sentence("matches", _named([node.value], names))
        case ast.Subscript():
            return _sentence("looks up", _named([node.slice], names))
        case ast.Call(func=ast.Attribute(attr=method), args=[key, *_]) if method in LOOK_UPS:
            return _sentence("looks up", _named([key], names))
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            return _sentence("has a table of", _majority([ast.Constant(item.arg) for item in keywords], names))
        case ast.Dict():
            return _sentence("has a table of", _majority([key for key in node.keys if key], names))
        case ast.Tuple() | ast.List() | ast.Set():
            return _sentence("lists", _majority(node.elts, names))
        case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() if node.value:
            return _sentence("gives a name to", _named([node.value], names))
        case ast.arguments():
            defaults = [default for default in (*node.defaults, *node.kw_defaults) if default]
            return _sentence("gives a name to", _named(defaults, names))
        case _:
            return ""


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]


def _named(nodes: Iterable[ast.expr], names: frozenset[str]) -> list[str]:
    return [str(node.value) for node in nodes if isinstance(node, ast.Constant) and node.value in names]


def _majority(nodes: list[ast.expr], names: frozenset[str]) -> list[str]:
    found = _named(nodes, names)
    return found if len(found) * 2 > len(nodes) else []


def _sentence(verb: str, found: list[str]) -> str:
    return f"{verb} {', '.join(found)}" if found else ""
