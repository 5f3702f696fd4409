"""A long list of nodes as bytes: an item is a tree of values only while somebody looks at it.

The nodes of an entry are larger than the entry that is made of them. Where all of them lived until the last line was
read, entries came to lie in what each of them left free, and the room of both stayed taken.
"""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from bundler.model.source_text import Items, Pairs, Position, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bundler.model.source_text import Node

_SCALAR, _ITEMS, _PAIRS = range(3)


class PackedNodes(Sequence["Node"]):
    """Nodes in their order; each look at one makes it anew, equal to the first.

    Arguments:
        nodes: taken one by one, and not held.
        file: what all of their positions are in.
    """

    __slots__ = ("_file", "_packed")

    def __init__(self, nodes: Iterable[Node], *, file: str) -> None:
        self._file = file
        self._packed = [_packed(node) for node in nodes]

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> Node: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Node]: ...
    def __getitem__(self, index: int | slice) -> Node | Sequence[Node]:
        if isinstance(index, slice):
            return tuple(map(self._node, self._packed[index]))
        return self._node(self._packed[index])

    def __iter__(self) -> Iterator[Node]:
        return map(self._node, self._packed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def _node(self, packed: bytes | Node) -> Node:
        # written by `_packed` and never out of this process
        return _unpacked(marshal.loads(packed), self._file) if isinstance(packed, bytes) else packed  # noqa: S302


def _packed(node: Node) -> bytes | Node:
    try:
        return marshal.dumps(_plain(node))
    except ValueError:
        # a date, which is rare enough
        return node


def _plain(node: Node) -> tuple[Any, ...]:
    at = node.position
    match node:
        case Scalar():
            return _SCALAR, at.line, at.column, node.value, node.text
        case Items():
            return _ITEMS, at.line, at.column, tuple(map(_plain, node.items))
        case Pairs():
            return _PAIRS, at.line, at.column, tuple((_plain(key), _plain(value)) for key, value in node.pairs)


def _unpacked(plain: tuple[Any, ...], file: str) -> Node:
    form, line, column, *content = plain
    position = Position(file, line, column)
    if form == _SCALAR:
        return _scalar(plain, file)
    if form == _ITEMS:
        return Items(tuple(_unpacked(item, file) for item in content[0]), position)
    return Pairs(tuple((_scalar(key, file), _unpacked(value, file)) for key, value in content[0]), position)


def _scalar(plain: tuple[Any, ...], file: str) -> Scalar:
    _, line, column, value, text = plain
    return Scalar(value, text, Position(file, line, column))
