"""Positioned text: what the YAML reader hands to the kinds, free of any YAML library."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from bundler.model.json_value import Json


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: 1-based line and column."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf. `value` is what YAML 1.1's safe tags make of it, `text` what stands in the file."""

    value: bool | int | float | str | dt.date | None
    text: str
    position: Position


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: Sequence[Node]
    position: Position


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping, in the order of the file, its keys unique."""

    pairs: tuple[tuple[Scalar, Node], ...]
    position: Position


Node = Scalar | Items | Pairs


def node_of(value: Json, position: Position) -> Node:
    """Return a value that stands in no file as a node, every part of it at one position."""
    if isinstance(value, Mapping):
        pairs = ((Scalar(key, key, position), node_of(part, position)) for key, part in value.items())
        return Pairs(tuple(pairs), position)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return Items(tuple(node_of(part, position) for part in value), position)
    return Scalar(value, value if isinstance(value, str) else json.dumps(value), position)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong (or, as a warning, doubtful) at one place."""

    position: Position
    text: str

    def __str__(self) -> str:
        return f"{self.position}: {self.text}"


@dataclass(slots=True)
class Problems:
    """Collects problems while a manifest is read, so that all of them are reported together."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, position: Position, text: str) -> None:
        """Add something the operator has to mend."""
        self.errors.append(Problem(position, text))

    def warn(self, position: Position, text: str) -> None:
        """Add something the operator may want to look at."""
        self.warnings.append(Problem(position, text))
