"""Nodes as bytes are the nodes that they were made of."""

from __future__ import annotations

import pytest

from bundler.manifest.packed_nodes import PackedNodes
from bundler.manifest.yaml_tree import read_tree
from bundler.model.source_text import Items, Pairs, Problems

TEXT = b"""list:
  - plain
  - [nested, {deep: [1, 2.5, true, null, -0x1F]}]
  - a day: 2026-11-29
  - moment: 2026-11-29T12:00:00Z
  - &shared {text: "caf\xc3\xa9 \xf0\x9f\x93\xa6", empty: ""}
  - *shared
  - {<<: *shared, empty: full}
"""


def items() -> Items:
    root = read_tree(TEXT, file="m", problems=Problems())
    assert isinstance(root, Pairs)
    [(_, value)] = root.pairs
    assert isinstance(value, Items)
    return value


def test_each_look_gives_the_same_nodes() -> None:
    packed = items().items
    nodes = tuple(packed)
    assert isinstance(packed, PackedNodes)
    assert len(packed) == len(nodes) == 7
    assert tuple(packed) == nodes == tuple(packed[:]) == tuple(packed[index] for index in range(7))
    assert packed == PackedNodes(nodes, file="m")
    assert hash(packed) == hash(nodes)
    assert packed != nodes[1:]


@pytest.mark.parametrize("index", range(7))
def test_values_texts_and_positions_are_kept(index: int) -> None:
    node = items().items[index]
    assert PackedNodes((node,), file="m")[0] == node
