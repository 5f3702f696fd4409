"""Texts about YAML nodes: how messages name them, and what counts as a string."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from bundler.model.source_text import Items, Pairs, Scalar
from bundler.translation import tr

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
            return tr("the string {text}", text=shown(node.text))
        case Scalar(value=None):
            return "nothing" if not node.text else tr("the empty value {text}", text=node.text)
        case Scalar(value=bool()):
            return tr("the truth value {text}", text=node.text)
        case Scalar(value=int() | float()):
            return tr("the number {text}", text=node.text)
        case Scalar():
            return tr("the date {text}", text=node.text)


def character_problem(text: str) -> str:
    """Return why a text is not allowed in a manifest (control characters, lone surrogates), or ""."""
    for character in text:
        if character not in "\t\n" and unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return tr("holds the control character U+{character:04X}", character=ord(character))
    return ""


def line_problem(text: str) -> str:
    """Return why a text cannot be a value of one line, or ""."""
    if "\n" in text:
        return tr("holds a line break; write it on one line, or with `>-` instead of `>` or `|`")
    return tr("holds a tab") if "\t" in text else ""


def want_text(node: Node, scope: Scope, what: str, *, may_be_empty: bool = False) -> Scalar | None:
    """Return the node when it is a string of one line; otherwise report it and return None.

    Arguments:
        what: how the message names the value, for example `'path'` or `an item of 'urls'`.
        may_be_empty: whether `""` is a value.
    """
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        hint = tr("; quote it: {quoted}", quoted=_quoted(node)) if isinstance(node, Scalar) and node.text else ""
        scope.problems.error(
            node.position, tr("{what}: want a string, got {node}{hint}", what=what, node=node_name(node), hint=hint)
        )
        return None
    if not node.value and not may_be_empty:
        scope.problems.error(node.position, tr("{what}: is an empty string", what=what))
        return None
    if problem := line_problem(node.value):
        scope.problems.error(node.position, f"{what}: {shown(node.value)} {problem}")
        return None
    return node


def _quoted(scalar: Scalar) -> str:
    # a scalar that resolves to a number, a truth value or a date has neither quotes nor backslashes
    return f'"{scalar.text}"'
