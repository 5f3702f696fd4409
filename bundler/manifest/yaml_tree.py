"""YAML text -> positioned tree. PyYAML's marks are the positions, its resolver gives the types.

Reads events instead of composed nodes: libyaml's composer recurses on the C stack (200,000 open brackets end the
process), and only here can the depth, and what aliases add up to, be bounded before memory is spent on them.

Stricter than YAML 1.1: one document; keys are unique strings; no tags except `!!str`, `!!int`, `!!float`, `!!bool`,
`!!null`, `!!timestamp`, `!!seq` and `!!map`. Merge keys (yaml.org/type/merge.html) work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from bundler.manifest.composer import TOO_DEEP, Composer, UnreadableYamlError, depth_limit_position
from bundler.manifest.decoding import decode
from bundler.model.source_text import Position
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.source_text import Node, Problems

# PyYAML may be built without libyaml
FASTEST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# the message of newer versions of libyaml for more than a thousand levels (src/scanner.c), before any of their events
NESTING_REFUSED = "exceeded maximum nesting depth"


def read_tree(data: bytes, *, file: str, problems: Problems, loader: Any = FASTEST_LOADER) -> Node | None:
    """Read one YAML document.

    Arguments:
        data: the whole file.
        file: its name in positions.
        problems: collects all problems that leave the rest readable, else the first one.
        loader: PyYAML's loader class, in C or in Python.

    Returns the tree (an empty scalar for a file without a document), or None when a problem keeps it from being read.
    """
    text = decode(data, file=file, problems=problems)
    if text is None:
        return None
    try:
        return Composer(text, file=file, problems=problems, loader=loader).document()
    except UnreadableYamlError as error:
        problems.error(error.position, error.problem)
    except yaml.MarkedYAMLError as error:
        problems.error(*_syntax_problem(error, file, text))
    except yaml.YAMLError as error:
        problems.error(Position(file, 1, 1), tr("is not valid YAML: {error}", error=error))
    return None


def _syntax_problem(error: yaml.MarkedYAMLError, file: str, text: str) -> tuple[Position, str]:
    if NESTING_REFUSED in str(error.problem):
        return depth_limit_position(text, file), TOO_DEEP
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Position(file, 1, 1), tr("is not valid YAML: {problem}", problem=error.problem)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    return Position(file, mark.line + 1, mark.column + 1), _common_mistake(error, line, mark.column) or _as_parsed(
        error
    )


def _common_mistake(error: yaml.MarkedYAMLError, line: str, column: int) -> str:
    problem, character = str(error.problem), line[column : column + 1]
    if "cannot start any token" in problem:
        return (
            tr("a tab; indent with spaces")
            if character == "\t"
            else tr("a string cannot begin with {character!r}; quote it", character=character)
        )
    if "mapping values are not allowed" in problem:
        return tr("a ':' inside a string that is not quoted, or a key that is not indented like its neighbours")
    if character == "{" and line[:column].endswith("$"):
        return tr("inside [ ] and { }, a string with ${…} must be quoted")
    return ""


def _as_parsed(error: yaml.MarkedYAMLError) -> str:
    context = f" {error.context}" if error.context else ""
    if error.context and error.context_mark is not None:
        context += tr(" begun on line {line}", line=error.context_mark.line + 1)
    return tr("is not valid YAML{context}: {problem}", context=context, problem=error.problem)
