"""YAML trees: both of PyYAML's parsers give the same positions, values and refusals."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml

from bundler.manifest.composer import (
    MAX_ALIASED_CHARACTERS,
    MAX_ALIASED_NODES,
    MAX_DEPTH,
    MAX_SCALAR_CHARACTERS,
)
from bundler.manifest.decoding import MAX_FILE_BYTES
from bundler.manifest.yaml_tree import FASTEST_LOADER, read_tree
from bundler.model.source_text import Items, Node, Pairs, Position, Problems, Scalar

LOADERS = tuple(dict.fromkeys((FASTEST_LOADER, yaml.SafeLoader)))


def read(text: str | bytes, loader: Any = FASTEST_LOADER) -> tuple[Node | None, list[str]]:
    problems = Problems()
    data = text if isinstance(text, bytes) else text.encode()
    root = read_tree(data, file="m", problems=problems, loader=loader)
    return root, [str(problem) for problem in problems.errors]


def at(line: int, column: int) -> Position:
    return Position("m", line, column)


def plain(node: Node | None) -> Any:
    """Return the tree without positions, lists and dicts as in JSON."""
    match node:
        case Items():
            return [plain(item) for item in node.items]
        case Pairs():
            return {key.value: plain(value) for key, value in node.pairs}
        case Scalar():
            return node.value
        case None:
            raise AssertionError("the document could not be read")


@pytest.mark.parametrize("loader", LOADERS)
def test_every_node_knows_its_line_and_column(loader: Any) -> None:
    root, errors = read("名: &n 万事\nlist:\n  - x\n  - {k: *n}\n", loader)
    name = Scalar("万事", "万事", at(1, 4))
    assert errors == []
    assert root == Pairs(
        (
            (Scalar("名", "名", at(1, 1)), name),
            (
                Scalar("list", "list", at(2, 1)),
                Items(
                    (
                        Scalar("x", "x", at(3, 5)),
                        Pairs(((Scalar("k", "k", at(4, 6)), name),), at(4, 5)),
                    ),
                    at(3, 3),
                ),
            ),
        ),
        at(1, 1),
    )


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_lines_are_counted_alike_for_every_line_break(line_break: str) -> None:
    _, errors = read(line_break.join(["a: 1", "b: 2", "a: 3"]))
    assert errors == ["m:3:1: duplicate key 'a', first on line 1"]


def test_a_byte_order_mark_moves_no_column() -> None:
    root, _ = read(b"\xef\xbb\xbfa: 1\n")
    assert root is not None
    assert root.position == at(1, 1)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("0755", 0o755),
        ("1.10", 1.1),
        ("1:30", 90),
        ("yes", True),
        ("off", False),
        ("~", None),
        ("", None),
        ("2025-03-01", dt.date(2025, 3, 1)),
        ("'7'", "7"),
        ("!!str 7", "7"),
        ("! 7", "7"),
        ("!!int '7'", 7),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        ("<<", "<<"),
        ("0o755", "0o755"),
        ("'two\n\n  lines'", "two\nlines"),
    ],
)
def test_scalars_resolve_as_yaml_1_1_types_do(text: str, value: object, loader: Any) -> None:
    root, errors = read(f"k: [{text}]" if text not in ("", "~") else f"k:\n- {text}", loader)
    assert errors == []
    assert plain(root) == {"k": [value]}
    assert type(plain(root)["k"][0]) is type(value)


@pytest.mark.parametrize("loader", LOADERS)
def test_merge_keys_add_what_is_not_there(loader: Any) -> None:
    root, errors = read(
        "x-a: &a {mode: 1, roles: [r]}\nx-b: &b {mode: 2, size: s}\n"
        "one: {<<: *a, mode: 3}\ntwo: {<<: [*a, *b], path: p}\nthree: {'<<': 4}\n",
        loader,
    )
    assert errors == []
    tree = plain(root)
    assert tree["one"] == {"mode": 3, "roles": ["r"]}
    assert tree["two"] == {"mode": 1, "roles": ["r"], "size": "s", "path": "p"}
    assert tree["three"] == {"<<": 4}


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n\t- b", "m:2:1: a tab; indent with spaces"),
        ("a: `b`", "m:1:4: a string cannot begin with '`'; quote it"),
        ("a: [v${b}]", "m:1:7: inside [ ] and { }, a string with ${…} must be quoted"),
        (
            "a: b: c",
            "m:1:5: a ':' inside a string that is not quoted, or a key that is not indented like its neighbours",
        ),
        ("a: *b", "m:1:4: the alias *b has no anchor &b above it"),
        ("a: &b [*b]", "m:1:8: the alias *b stands inside its own anchor"),
        ("--- a\n--- b", "m:2:1: a second document begins; keep one document in the file"),
        ("[" * 200_000, f"m:1:{MAX_DEPTH + 2}: nested more than {MAX_DEPTH} levels deep"),
        ("a: !x b", "m:1:4: the tag '!x' is not supported here; remove it"),
        (
            "%TAG ! tag:example.org,2025:\n---\n!x b",
            "m:3:1: the tag 'tag:example.org,2025:x' is not supported here; remove it",
        ),
        ("!!str [a]", "m:1:1: the tag '!!str' is not supported here; remove it"),
        ("!!bool maybe", "m:1:1: 'maybe' is read as a truth value but is none; quote it if a string is meant"),
        ("!!int ''", "m:1:1: '' is read as a number but is none; quote it if a string is meant"),
        ("!!timestamp x", "m:1:1: 'x' is read as a date but is none; quote it if a string is meant"),
    ],
)
def test_both_parsers_refuse_alike(text: str, problem: str, loader: Any) -> None:
    assert read(text, loader)[1] == [problem]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("escape", [r"\ud800", r"\U00110000", r"\UFFFFFFFF", r"\0", r"\P"])
def test_escapes_bring_in_nothing_that_the_file_may_not_hold(escape: str, loader: Any) -> None:
    root, errors = read(f'a: "{escape}"', loader)
    assert len(errors) == 1, (root, errors)


def test_everything_that_leaves_the_rest_readable_is_reported_together() -> None:
    root, errors = read("a: 1\na: 2\n7: x\nb: !x y\nc: 2025-99-99\n")
    assert [error.split(": ")[0] for error in errors] == ["m:2:1", "m:3:1", "m:4:4", "m:5:4"]
    assert plain(root) == {"a": 1, "b": "y", "c": "2025-99-99"}


def bomb(depth: int) -> str:
    return "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, depth))


def test_an_alias_bomb_is_refused_where_it_goes_off() -> None:
    root, errors = read(bomb(30))
    assert root is None
    assert len(errors) == 1
    assert errors[0].endswith(f"aliases stand for more than {MAX_ALIASED_NODES} values")


def test_a_bomb_of_merge_keys_is_refused() -> None:
    wide = ", ".join(f"k{n}: v" for n in range(1000))
    root, errors = read(f"a: &a {{{wide}}}\nb:\n" + "  - <<: *a\n" * 200)
    assert root is None
    assert "aliases stand for more than" in errors[0]


def test_a_bomb_of_long_strings_is_refused() -> None:
    text = "x" * MAX_SCALAR_CHARACTERS
    root, errors = read(f"a: &a {text}\nb:\n" + "  - *a\n" * (MAX_ALIASED_CHARACTERS // MAX_SCALAR_CHARACTERS + 1))
    assert root is None
    assert f"aliases stand for more than {MAX_ALIASED_CHARACTERS} characters" in errors[0]


def test_aliases_cannot_nest_deeper_than_brackets() -> None:
    text = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, MAX_DEPTH + 2))
    _, errors = read(text)
    assert errors == [
        f"m:{MAX_DEPTH + 1}:{len(f'a{MAX_DEPTH}: &a{MAX_DEPTH} [') + 1}: nested more than {MAX_DEPTH} levels deep"
    ]


def test_a_string_may_be_as_long_as_the_limit() -> None:
    assert read(f"a: {'x' * MAX_SCALAR_CHARACTERS}")[1] == []
    assert read(f"a: {'x' * (MAX_SCALAR_CHARACTERS + 1)}")[1] == [
        f"m:1:4: a string of more than {MAX_SCALAR_CHARACTERS} characters"
    ]


def test_a_file_may_be_as_large_as_the_limit() -> None:
    comment = b"#" * (MAX_FILE_BYTES - 1) + b"\n"
    assert read(comment)[1] == []
    assert read(b"#" + comment)[1] == [f"m:1:1: is larger than {MAX_FILE_BYTES} bytes"]


def test_a_file_without_a_document_is_an_empty_scalar() -> None:
    assert read("# nothing\n") == (Scalar(None, "", at(1, 1)), [])
