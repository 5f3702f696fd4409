"""Values that stand in no file, as nodes."""

from __future__ import annotations

from bundler.model.source_text import Items, Pairs, Position, Scalar, node_of

HERE = Position("m.yaml", 3, 5)


def test_every_part_of_a_value_is_at_one_place() -> None:
    assert node_of("a", HERE) == Scalar("a", "a", HERE)
    assert node_of({"a": ["b", {}], "c": ()}, HERE) == Pairs(
        (
            (Scalar("a", "a", HERE), Items((Scalar("b", "b", HERE), Pairs((), HERE)), HERE)),
            (Scalar("c", "c", HERE), Items((), HERE)),
        ),
        HERE,
    )


def test_a_scalar_keeps_its_value_and_reads_as_json() -> None:
    values = (7, 1.5, True, None, "7")
    nodes = [node_of(value, HERE) for value in values]
    assert [(node.value, node.text) for node in nodes if isinstance(node, Scalar)] == [
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        ("7", "7"),
    ]
