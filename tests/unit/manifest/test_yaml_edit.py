"""Values by their key paths: set, added, removed; every other byte stays, and odd forms are refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bundler.manifest.yaml_edit import REMOVE, edited, read_plain, value_at

TEMPLATE = b"""# Configuration file
hostname: reg.mydomain.com

# http related config
http:
  # port for http
  port: 80   # the default

https:
  port: 443
  certificate: /your/certificate/path
  private_key: /your/private/key/path

# a comment that belongs to what follows
data_volume: /data
log:
  level: info
  local:
    location: /var/log/harbor
"""


def test_a_value_is_replaced_where_it_stands_and_its_comment_stays() -> None:
    found = edited(TEMPLATE, {("hostname",): "master", ("http", "port"): 8080})
    assert found == TEMPLATE.replace(b"reg.mydomain.com", b"master").replace(b"port: 80 ", b"port: 8080 ")


def test_a_whole_mapping_goes_with_its_lines_and_no_others() -> None:
    found = edited(TEMPLATE, {("https",): REMOVE})
    begin, end = TEMPLATE.index(b"https:"), TEMPLATE.index(b"\n# a comment that")
    assert found == TEMPLATE[:begin] + TEMPLATE[end:]
    assert edited(found, {("https",): REMOVE}) == found
    assert edited(found, {("https", "port"): REMOVE}) == found


def test_a_key_is_added_at_the_end_of_its_mapping_and_mappings_are_made() -> None:
    found = edited(TEMPLATE, {("log", "local", "rotate_count"): 50, ("log", "x", "y"): True, ("new",): ["a", {"b": 1}]})
    assert found == TEMPLATE + b'    rotate_count: 50\n  x: {"y": true}\nnew: ["a", {"b": 1}]\n'


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        (b"a: 1", ("b",), 2, b"a: 1\nb: 2\n"),
        (b"a:\nb: 1\n", ("a",), "x", b"a: x\nb: 1\n"),
        (b"a:\n", ("a", "b"), 1, b'a: {"b": 1}\n'),
        (b"a: {}\n", ("a", "b"), 1, b"a: {b: 1}\n"),
        (b"a: {c: 2}\n", ("a", "b"), 1, b"a: {c: 2, b: 1}\n"),
        (b"a: {c: 2}  # note\n", ("a", "c"), 3, b"a: {c: 3}  # note\n"),
        (b"a: [1, 2]\nb: 3\n", ("a",), [], b"a: []\nb: 3\n"),
        (b"a:\n- 1\n- 2\nb: 3\n", ("a",), ["x"], b'a: ["x"]\nb: 3\n'),
        (b"a: |\n  one\n  two\nb: 3\n", ("a",), "x", b"a: x\nb: 3\n"),
        (b"a: 'quoted'\n", ("a",), "true", b'a: "true"\n'),
        (b"a: 1\n", ("a",), True, b"a: true\n"),
        (b"a: x\n", ("a",), "a: b", b'a: "a: b"\n'),
        (b"a: x\n", ("a",), "", b'a: ""\n'),
        (b"a: x\n", ("a",), "127.0.0.1:10000", b"a: 127.0.0.1:10000\n"),
        (b"a: x\n", ("a",), "12:30", b'a: "12:30"\n'),
        (b"a: x\n", ("a", "b"), 1, b'a: {"b": 1}\n'),
        (b"a: x\r\nb: y\r\n", ("c",), 1, b"a: x\r\nb: y\r\nc: 1\r\n"),
        (b"\xef\xbb\xbfa: x\n", ("a",), 1, b"\xef\xbb\xbfa: 1\n"),
        ("名: 值\na: x\n".encode(), ("a",), "中", '名: 值\na: "中"\n'.encode()),
        (b"a:\n  b: 1\n  # in\n\n# out\nc: 2\n", ("a", "d"), 3, b"a:\n  b: 1\n  d: 3\n  # in\n\n# out\nc: 2\n"),
        (b"a:\n  b:\nc: 2\n", ("a",), REMOVE, b"c: 2\n"),
        (b"a:\n  b:\nc: 2\n", ("a", "b"), REMOVE, b"a:\nc: 2\n"),
    ],
)  # fmt: skip
def test_forms(before: bytes, path: tuple[str, ...], value: Any, after: bytes) -> None:
    if after == b"a:\nc: 2\n":
        # an empty mapping cannot be written without a value, and nothing is no mapping
        with pytest.raises(ValueError, match="edited safely"):
            edited(before, {path: value})
        return
    assert edited(before, {path: value}) == after


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"- a\n", "no mapping"),
        (b"", "no mapping"),
        (b"a: [", "not valid YAML"),
        (b"a: \xff", "not valid YAML"),
        (b"a: {b: 1}\n", "in braces"),
        (b"a: &x {b: 1}\nc: *x\n", "in braces"),
        (b"x: &x\n  b: 1\na: *x\n", "edited safely"),
        (b"a: 1\na:\n  b: 1\n", "edited safely"),
        (b"[" * 100_000, "not valid YAML"),
    ],
)
def test_what_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        edited(text, {("a", "b"): REMOVE, ("a", "c"): 2})


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(["yes", "0x1", "~", "a b"]),
)
KEYS = st.sampled_from(["a", "b", "c", "true", "1", "long key", "名"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(tuple)


@given(DOCUMENTS, PATHS, VALUES, st.booleans())
def test_whatever_was_dumped_can_be_edited_and_edited_again(
    document: dict[str, Any], path: tuple[str, ...], value: Any, commented: bool
) -> None:
    text = yaml.safe_dump(document, allow_unicode=True, default_flow_style=False, width=10_000)
    if commented:
        text = "".join(
            f"# before\n{line}\n" if line and not line.startswith((" ", "-")) else f"{line}\n"
            for line in text.splitlines()
        )
        if read_plain(text.encode()) != document:
            return
    found = edited(text.encode(), {path: value})
    assert value_at(read_plain(found), path) == value
    assert edited(found, {path: value}) == found
    if commented:
        assert found.count(b"# before") >= text.count("# before") - 4
