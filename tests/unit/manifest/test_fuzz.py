"""Whatever the reader is given, it answers a `Manifest` or a ManifestError; what it passes, the schema passes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.reader import read_manifest
from bundler.manifest.schema import manifest_schema
from bundler.manifest.yaml_tree import FASTEST_LOADER, read_tree
from bundler.model.source_text import Items, Pairs, Problems, Scalar
from tests.fakes.kinds import FAKE_KINDS

if TYPE_CHECKING:
    from bundler.model.manifest import Manifest
    from bundler.model.source_text import Node

VALIDATOR = Draft202012Validator(manifest_schema(FAKE_KINDS))
POSITION = re.compile(r"m:[1-9]\d*:[1-9]\d*: .")
SEED = """\
version: 1
name: sample
release: "2025.03"
platforms: [linux/amd64, linux/arm64]
vars: {kubeedge: "1.11.1", next: "${kubeedge}-1"}
x-common: &common {mode: "0755", roles: [edge]}
boxes:
  - <<: *common
    path: kubeedge/keadm-${arch}
    urls: ["https://example.org/v${kubeedge}", b]
  - {path: plain, url: c, members: {a/: b/}, sealed: true, size: large, platforms: [linux/arm/v7]}
labels:
  - one
  - >-
    two
    lines
"""
WORDS = (
    *("version", "name", "release", "platforms", "vars", "boxes", "labels", "charts", "rpms", "x-a", "path", "url"),
    *("urls", "members", "mode", "roles", "sealed", "size", "<<", "one", "0755", "linux/amd64", "linux/arm64", "edge"),
    *("${arch}", "${v}", "$$", "$", "a/b", "A/b", "a", "../a", "7", "", "2025-03-01", "\u0390", "e\u0301"),
)
TOKENS = (
    *(
        "&a ",
        "*a",
        "<<: ",
        "- ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "\t",
        "---\n",
        "...\n",
        "!!int ",
        "!x ",
        "| ",
        "> ",
        "'",
        '"',
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        ", ",
        "#",
        "%YAML 1.1\n",
        "${arch}",
        "$",
        "~",
        "0x1",
        "1:30:30",
        ".inf",
        "\\",
        "\x00",
        "\x85",
    ),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.binary(max_size=3)
    | st.sampled_from(WORDS)
    | st.text(max_size=8)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | SCALARS, inner, max_size=6)
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6)
    ),
    max_leaves=20,
)
BOXES = st.fixed_dictionaries(
    {"path": st.sampled_from(("a", "a/b", "a-${arch}", "A", "c/d", "${v}"))},
    optional={
        "url": st.sampled_from(("b", "${v}", "")),
        "urls": st.lists(st.sampled_from(("b", "c", "d")), max_size=3),
        "mode": st.sampled_from(("0644", "755", "0600", 0o755)),
        "roles": st.lists(st.sampled_from(("edge", "cloud", "egde")), max_size=2),
        "platforms": st.lists(st.sampled_from(("linux/amd64", "linux/arm", "linux/arm/v7", "amd64")), max_size=2),
        "sealed": st.booleans(),
        "size": st.sampled_from(("small", "${v}", "tiny")),
        "members": st.dictionaries(st.sampled_from(("a", "b")), st.sampled_from(("c", "")), max_size=2),
        "x-a": TREES,
    },
)
LIKELY = st.fixed_dictionaries(
    {"version": st.sampled_from((1, 1, 1, 2, "1")), "name": st.sampled_from(("sample", "a b", "s${v}", "a.b"))},
    optional={
        "vars": st.dictionaries(st.sampled_from(("v", "w", "arch")), st.sampled_from(("x", "", "large")), max_size=2),
        "release": st.sampled_from(("7", 7, "x" * 33)),
        "platforms": st.lists(st.sampled_from(("linux/amd64", "linux/arm64", "linus/arm")), max_size=2),
        "boxes": st.lists(BOXES, max_size=3),
        "labels": st.lists(st.sampled_from(("one", "two", "${v}", 7, "")), max_size=3),
        "x-a": TREES,
    },
)


def judge(data: bytes) -> Manifest | None:
    """Read, and hold the reader to its promise: every problem has a position, and they are in order."""
    try:
        return read_manifest(data, file="m", kinds=FAKE_KINDS)
    except ManifestError as caught:
        error = caught
    assert error.id is ErrorId.MANIFEST_INVALID
    assert error.problems
    assert all(POSITION.match(problem) for problem in error.problems)
    places = [tuple(map(int, problem.split(":")[1:3])) for problem in error.problems]
    assert places == sorted(places)
    assert error.text().encode().decode() == error.text()
    return None


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    judge(data)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(TOKENS + WORDS), max_size=60).map("".join))
def test_arbitrary_tokens_are_read_alike_by_both_parsers(text: str) -> None:
    judge(text.encode())
    trees = []
    for loader in (FASTEST_LOADER, yaml.SafeLoader):
        problems = Problems()
        tree = read_tree(text.encode(), file="m", problems=problems, loader=loader)
        trees.append(None if tree is None or problems.errors else marks(tree))
    if None not in trees:
        assert trees[0] == trees[1]


def marks(node: Node) -> object:
    """Return the tree as it stands, without the places of empty values: there the parsers differ by a space."""
    match node:
        case Scalar():
            return (node.value, node.position) if node.text else node.value
        case Items():
            return [node.position, *map(marks, node.items)]
        case Pairs():
            return [node.position, *((marks(key), marks(value)) for key, value in node.pairs)]


@settings(deadline=None, max_examples=200)
@given(TREES)
def test_arbitrary_structures(tree: object) -> None:
    judge(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=300)
@given(LIKELY)
def test_what_the_reader_passes_the_schema_passes(tree: object) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass")
    if judge(text) is not None:
        assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


def test_the_seed_is_valid() -> None:
    assert judge(SEED.encode()) is not None


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_mutations_of_a_valid_manifest(data: st.DataObject) -> None:
    text = SEED
    for _ in range(data.draw(st.integers(1, 4), label="edits")):
        start = data.draw(st.integers(0, len(text)), label="from")
        end = min(len(text), start + data.draw(st.integers(0, 12), label="length"))
        text = text[:start] + data.draw(st.sampled_from(("", *TOKENS, *WORDS)), label="put") + text[end:]
    manifest = judge(text.encode())
    if manifest is not None:
        assert manifest.digest == read_manifest(text.encode(), file="n", kinds=FAKE_KINDS).digest
        assert manifest.archive_name.isprintable()
