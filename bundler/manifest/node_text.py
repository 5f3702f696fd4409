"""Texts about YAML nodes: how messages name them, and what counts as a string."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from bundler.model.source_text import Items, Pairs, Scalar

if TYPE_CHECKING:
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node

MAX_SHOWN_CHARACTERS = 60


def shown(text: str) -> str:
    """Return the text quoted for a message, cut when it is long, control characters escaped."""
    return repr(text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…")


def node_name(node: Node) -> str:
    """Return the node's name in messages: `a list`, `the number 7`, `nothing`."""
    match node:
        case Items():
            return "a list"
        case Pairs():
            return "a mapping"
        case Scalar(value=str()):
            return f"the string {shown(node.text)}"
        case Scalar(value=None):
            return "nothing" if not node.text else f"the empty value {node.text}"
        case Scalar(value=bool()):
            return f"the truth value {node.text}"
        case Scalar(value=int() | float()):
            return f"the number {node.text}"
        case Scalar():
            return f"the date {node.text}"


def character_problem(text: str) -> str:
    """Return why a text is not allowed in a manifest (control characters, lone surrogates), or ""."""
    for character in text:
        if character not in "\t\n" and unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return f"holds the control character U+{ord(character):04X}"
    return ""


def line_problem(text: str) -> str:
    """Return why a text cannot be a value of one line, or ""."""
    if "\n" in text:
        return "holds a line break; write it on one line, or with `>-` instead of `>` or `|`"
    return "holds a tab" if "\t" in text else ""


def want_text(node: Node, scope: Scope, what: str, *, may_be_empty: bool = False) -> Scalar | None:
    """Return the node when it is a string of one line; otherwise report it and return None.

    Arguments:
        what: how the message names the value, for example `'path'` or `an item of 'urls'`.
        may_be_empty: whether `""` is a value.
    """
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        hint = f"; quote it: {_quoted(node)}" if isinstance(node, Scalar) and node.text else ""
        scope.problems.error(node.position, f"{what}: want a string, got {node_name(node)}{hint}")
        return None
    if not node.value and not may_be_empty:
        scope.problems.error(node.position, f"{what}: is an empty string")
        return None
    if problem := line_problem(node.value):
        scope.problems.error(node.position, f"{what}: {shown(node.value)} {problem}")
        return None
    return node


def _quoted(scalar: Scalar) -> str:
    # a scalar that resolves to a number, a truth value or a date has neither quotes nor backslashes
    return f'"{scalar.text}"'
