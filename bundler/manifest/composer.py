"""PyYAML's events -> nodes with positions, bounded in depth and in what aliases add up to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from bundler.manifest.node_text import node_name, shown
from bundler.manifest.packed_nodes import PackedNodes
from bundler.manifest.yaml_scalar import MERGE_TAG, STRING_TAG, ScalarProblem, scalar_value
from bundler.model.source_text import Items, Pairs, Position, Scalar
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.model.source_text import Node, Problems

MAX_DEPTH = 32
TOO_DEEP = tr("nested more than {max_depth} levels deep", max_depth=MAX_DEPTH)
# what the tree may hold, every alias counted as what it stands for: 100,000 files with their digests
MAX_NODES = 1_000_000
MAX_CHARACTERS = 32 * 1024 * 1024
# what of it may come from aliases: a few lines would be enough to write the rest
MAX_ALIASED_NODES = 100_000
MAX_ALIASED_CHARACTERS = 4 * 1024 * 1024
MAX_SCALAR_CHARACTERS = 8192
MAX_SHARED_CHARACTERS = 16

_COLLECTION_TAGS = {"tag:yaml.org,2002:seq": yaml.SequenceStartEvent, "tag:yaml.org,2002:map": yaml.MappingStartEvent}


class UnreadableYamlError(Exception):
    """The document cannot be read any further; the reader turns it into a `Problem`."""

    def __init__(self, position: Position, problem: str) -> None:
        super().__init__(problem)
        self.position = position
        self.problem = problem


class _Anchored(NamedTuple):
    """What an alias stands for, and what each use of it adds to the tree."""

    node: Node
    nodes: int
    characters: int
    height: int


class Composer:
    """Builds the tree of one document.

    Arguments:
        text: the whole file, decoded.
        file: its name in positions.
        problems: takes what leaves the rest readable.
        loader: PyYAML's loader class, in C or in Python.
    """

    def __init__(self, text: str, *, file: str, problems: Problems, loader: Any) -> None:
        self._loader = loader(text)
        self._file = file
        self._problems = problems
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0
        self._characters = 0
        self._aliased_nodes = 0
        self._aliased_characters = 0

    def document(self) -> Node:
        """Return the one document's tree, or an empty scalar when there is none.

        Raises UnreadableError, and yaml.YAMLError where the text is not YAML.
        """
        self._next()
        if isinstance(self._peek(), yaml.StreamEndEvent):
            return Scalar(None, "", Position(self._file, 1, 1))
        self._next()
        root = self._node(0)
        self._next()
        event = self._peek()
        if not isinstance(event, yaml.StreamEndEvent):
            raise UnreadableYamlError(
                self._position(event), tr("a second document begins; keep one document in the file")
            )
        return root

    def _peek(self) -> Any:
        try:
            return self._loader.peek_event()
        except (ValueError, OverflowError) as error:
            # the scanner in Python passes escapes such as "\U00110000" to chr() unchecked
            raise UnreadableYamlError(
                Position(self._file, 1, 1), tr("is not valid YAML: {error}", error=error)
            ) from error

    def _next(self) -> Any:
        self._peek()
        return self._loader.get_event()

    def _position(self, event: Any) -> Position:
        return Position(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, depth: int) -> Node:
        event = self._next()
        position = self._position(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), position, depth)
        self._limit_depth(depth, position)
        if event.anchor is None:
            return self._content(event, position, depth)
        if event.anchor in self._anchors:
            self._problems.error(position, tr("the anchor &{anchor} is defined twice", anchor=event.anchor))
        self._anchors[event.anchor] = None
        nodes, characters = self._nodes, self._characters
        node = self._content(event, position, depth)
        self._anchors[event.anchor] = _Anchored(node, self._nodes - nodes, self._characters - characters, _height(node))
        return node

    def _alias(self, name: str, position: Position, depth: int) -> Node:
        if name not in self._anchors:
            raise UnreadableYamlError(position, tr("the alias *{name} has no anchor &{name} above it", name=name))
        anchored = self._anchors[name]
        if anchored is None:
            raise UnreadableYamlError(position, tr("the alias *{name} stands inside its own anchor", name=name))
        self._limit_depth(depth + anchored.height, position)
        self._aliased_nodes += anchored.nodes
        self._aliased_characters += anchored.characters
        if self._aliased_nodes > MAX_ALIASED_NODES:
            raise UnreadableYamlError(
                position,
                tr("aliases stand for more than {max_aliased_nodes} values", max_aliased_nodes=MAX_ALIASED_NODES),
            )
        if self._aliased_characters > MAX_ALIASED_CHARACTERS:
            raise UnreadableYamlError(
                position,
                tr(
                    "aliases stand for more than {max_aliased_characters} characters",
                    max_aliased_characters=MAX_ALIASED_CHARACTERS,
                ),
            )
        self._count(anchored.nodes, anchored.characters, position)
        return anchored.node

    def _limit_depth(self, depth: int, position: Position) -> None:
        if depth > MAX_DEPTH:
            raise UnreadableYamlError(position, TOO_DEEP)

    def _count(self, nodes: int, characters: int, position: Position) -> None:
        self._nodes += nodes
        self._characters += characters
        if self._nodes > MAX_NODES:
            raise UnreadableYamlError(position, tr("more than {max_nodes} values", max_nodes=MAX_NODES))
        if self._characters > MAX_CHARACTERS:
            raise UnreadableYamlError(
                position, tr("more than {max_characters} characters", max_characters=MAX_CHARACTERS)
            )

    def _content(self, event: Any, position: Position, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, len(event.value), position)
            return self._scalar(event, position)
        self._count(1, 0, position)
        if event.tag is not None and _COLLECTION_TAGS.get(event.tag) is not type(event):
            self._problems.error(position, _tag_problem(event.tag))
        if isinstance(event, yaml.SequenceStartEvent):
            items = self._items(depth)
            # the lists of entries, and everything else that may be long
            return Items(PackedNodes(items, file=self._file) if depth == 1 else tuple(items), position)
        return self._mapping(position, depth)

    def _scalar(self, event: Any, position: Position) -> Scalar:
        # keys recur in every entry
        text = sys.intern(event.value) if len(event.value) <= MAX_SHARED_CHARACTERS else event.value
        if len(text) > MAX_SCALAR_CHARACTERS:
            self._problems.error(
                position,
                tr(
                    "a string of more than {max_scalar_characters} characters",
                    max_scalar_characters=MAX_SCALAR_CHARACTERS,
                ),
            )
            text = text[:MAX_SCALAR_CHARACTERS]
        tag = self._tag(event)
        try:
            return Scalar(scalar_value(tag, text), text, position)
        except ScalarProblem as error:
            self._problems.error(position, str(error))
        except KeyError:
            self._problems.error(position, _tag_problem(tag))
        return Scalar(text, text, position)

    def _tag(self, event: Any) -> str:
        if event.tag is None:
            return str(self._loader.resolve(yaml.ScalarNode, event.value, event.implicit))
        # YAML 1.1, "Tag Resolution": the non-specific tag makes a scalar a string
        return STRING_TAG if event.tag == "!" else str(event.tag)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            yield self._node(depth + 1)
        self._next()

    def _mapping(self, position: Position, depth: int) -> Pairs:
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        merge_key: Position | None = None
        while not isinstance(event := self._peek(), yaml.MappingEndEvent):
            merges = isinstance(event, yaml.ScalarEvent) and self._tag(event) == MERGE_TAG
            key, value = self._node(depth + 1), self._node(depth + 1)
            if merges:
                self._refuse_duplicate("<<", key.position, merge_key)
                merge_key = merge_key or key.position
                self._merge(value, merged)
            elif not isinstance(key, Scalar) or not isinstance(key.value, str):
                hint = tr('; quote it: "{text}"', text=key.text) if isinstance(key, Scalar) and key.text else ""
                self._problems.error(
                    key.position, tr("a key is a string, not {key}{hint}", key=node_name(key), hint=hint)
                )
            elif key.value in own:
                self._refuse_duplicate(key.value, key.position, own[key.value][0].position)
            else:
                own[key.value] = (key, value)
        self._next()
        inherited = (pair for name, pair in merged.items() if name not in own)
        return Pairs((*inherited, *own.values()), position)

    def _refuse_duplicate(self, key: str, position: Position, first: Position | None) -> None:
        if first is not None:
            self._problems.error(
                position, tr("duplicate key {key}, first on line {line}", key=shown(key), line=first.line)
            )

    def _merge(self, source: Node, merged: dict[str, tuple[Scalar, Node]]) -> None:
        for node in source.items if isinstance(source, Items) else (source,):
            if isinstance(node, Pairs):
                for key, value in node.pairs:
                    merged.setdefault(str(key.value), (key, value))
            else:
                wrong = tr("'<<' merges a mapping or a list of mappings, not {node}", node=node_name(node))
                self._problems.error(node.position, wrong)


def depth_limit_position(text: str, file: str) -> Position:
    """Return where a text exceeds MAX_DEPTH; by PyYAML's scanner in Python, which yields every event up to there."""
    depth, place = 0, Position(file, 1, 1)
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if (mark := event.start_mark) is not None:
            place = Position(file, mark.line + 1, mark.column + 1)
        if depth > MAX_DEPTH:
            break
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
    return place


def _height(node: Node) -> int:
    match node:
        case Items():
            children: Sequence[Node] = node.items
        case Pairs():
            children = tuple(value for _, value in node.pairs)
        case _:
            return 0
    return 1 + max(map(_height, children), default=0)


def _tag_problem(tag: str) -> str:
    name = tag.replace("tag:yaml.org,2002:", "!!")
    return tr("the tag {name} is not supported here; remove it", name=shown(name))
