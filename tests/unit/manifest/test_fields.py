"""What kinds read mappings with: typed values, every problem at its place, nothing raised."""

from __future__ import annotations

import pytest

from bundler.manifest.fields import Fields
from bundler.manifest.platform_names import MAX_PLATFORMS
from bundler.manifest.yaml_tree import read_tree
from bundler.model.platform import Platform
from bundler.model.scope import MAX_HINTED_PROBLEMS, Scope
from bundler.model.source_text import Position, Problems

KNOWN = ("path", "urls", "members", "mode", "roles", "platforms", "sealed", "size")
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


def fields_of(text: str) -> tuple[Fields, Scope]:
    problems = Problems()
    root = read_tree(text.encode(), file="m", problems=problems)
    assert root is not None
    assert problems.errors == []
    scope = Scope({"arch_dir": "x86", "role": "edge", "mode": "0755"}, (AMD64, ARM64), problems)
    return Fields(root, scope, known=KNOWN, what="a box"), scope


def errors(scope: Scope) -> list[str]:
    return [f"{problem.position.line}:{problem.position.column}: {problem.text}" for problem in scope.problems.errors]


def test_values_come_back_typed_and_unexpanded() -> None:
    fields, scope = fields_of(
        "path: ${arch_dir}/a\nurls: [b, 'c ${role}']\nmembers: {d/: e/}\nmode: '${mode}'\n"
        "roles: [edge]\nplatforms: [linux/arm64]\nsealed: true\nsize: large\nx-note: [1]\n"
    )
    path = fields.text("path", required=True)
    assert path is not None
    assert (path.value, path.position) == ("${arch_dir}/a", Position("m", 1, 7))
    assert scope.expand(path) == "x86/a"
    assert [scalar.text for scalar in fields.texts("urls")] == ["b", "c ${role}"]
    assert [(key.text, value.text) for key, value in fields.pairs("members")] == [("d/", "e/")]
    assert fields.mode("mode", default=0o644) == 0o755
    assert fields.roles("roles") == ("edge",)
    assert fields.platforms("platforms") == (ARM64,)
    assert fields.flag("sealed", default=False) is True
    assert fields.choice("size", ("small", "large"), default="small") == "large"
    assert fields.ok
    assert errors(scope) == []


def test_absent_keys_stand_for_their_defaults() -> None:
    fields, scope = fields_of("{}")
    assert fields.text("path") is None
    assert fields.texts("urls") == ()
    assert fields.items("urls") == ()
    assert fields.pairs("members") == ()
    assert fields.mode("mode", default=0o644) == 0o644
    assert fields.roles("roles") == ("cloud", "edge")
    assert fields.platforms("platforms") == (AMD64, ARM64)
    assert fields.platforms("platforms", default=(AMD64,)) == (AMD64,)
    assert fields.flag("sealed", default=True) is True
    assert fields.choice("size", ("small", "large"), default="small") == "small"
    assert fields.exclusive("path", "urls") is None
    assert not fields.has("path")
    assert fields.ok
    assert errors(scope) == []


@pytest.mark.parametrize("getter", ["text", "texts", "pairs", "items", "node"])
def test_a_required_key_that_is_absent_is_named(getter: str) -> None:
    fields, scope = fields_of("urls: [a]")
    getattr(fields, getter)("path", required=True)
    assert errors(scope) == ["1:1: a box lacks the key 'path'"]
    assert not fields.ok


def test_exclusive_keys() -> None:
    fields, scope = fields_of("path: a\nurls: [b]")
    assert fields.exclusive("path", "urls") == "path"
    assert fields.exclusive("mode", "urls", required=True) == "urls"
    assert fields.exclusive("mode", "size", required=True) is None
    assert errors(scope) == [
        "2:1: 'urls' cannot stand beside 'path'; keep one of path, urls",
        "1:1: a box lacks one of the keys mode, size",
    ]


def test_what_is_no_mapping_is_reported_once() -> None:
    fields, scope = fields_of("[a]")
    assert fields.text("path", required=True) is None
    assert fields.exclusive("path", "urls", required=True) is None
    assert errors(scope) == ["1:1: want a box as a mapping, got a list"]
    assert not fields.ok


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("[a]", "a list"),
        ("{a: b}", "a mapping"),
        ("7", 'the number 7; quote it: "7"'),
        ("yes", 'the truth value yes; quote it: "yes"'),
        ("2025-03-01", 'the date 2025-03-01; quote it: "2025-03-01"'),
        ("~", 'the empty value ~; quote it: "~"'),
        ("", "nothing"),
    ],
)
def test_a_string_is_wanted_and_something_else_is_there(value: str, told: str) -> None:
    fields, scope = fields_of(f"path: {value}")
    assert fields.text("path") is None
    assert [error.split(": ", 1)[1] for error in errors(scope)] == [f"'path': want a string, got {told}"]


def test_good_items_survive_bad_ones() -> None:
    fields, scope = fields_of("urls: [a, 7, b, a]\nmembers: {a: b, c: 7}")
    assert [scalar.text for scalar in fields.texts("urls")] == ["a", "b"]
    assert [key.text for key, _ in fields.pairs("members")] == ["a"]
    assert errors(scope) == [
        "1:11: an item of 'urls': want a string, got the number 7; quote it: \"7\"",
        "1:17: 'urls': 'a' is listed twice",
        "2:20: 'members', 'c': want a string, got the number 7; quote it: \"7\"",
    ]


@pytest.mark.parametrize("value", ["'644'", "'0644'"])
def test_modes_may_leave_the_first_zero_out(value: str) -> None:
    fields, _ = fields_of(f"mode: {value}")
    assert fields.mode("mode", default=0o755) == 0o644


def test_roles_come_in_one_order() -> None:
    fields, _ = fields_of("roles: [edge, cloud]")
    assert fields.roles("roles") == ("cloud", "edge")


def test_platforms_are_bounded() -> None:
    many = ", ".join(f"linux/arm/v{number}" for number in range(100, 100 + MAX_PLATFORMS + 1))
    fields, scope = fields_of(f"platforms: [{many}]")
    assert len(fields.platforms("platforms")) == MAX_PLATFORMS
    assert errors(scope) == [f"1:12: 'platforms': lists more than {MAX_PLATFORMS} platforms"]


def test_undefined_variables_count_against_the_mapping() -> None:
    fields, scope = fields_of("path: ${archdir}")
    path = fields.text("path")
    assert path is not None
    assert fields.ok
    scope.expand(path)
    assert not fields.ok


def test_long_words_are_cut_in_messages() -> None:
    _, scope = fields_of(f"{'k' * 1000}: 1")
    assert len(errors(scope)[0]) < 200


@pytest.mark.parametrize(("key", "problem"), [("''", "is an empty string"), ('"a\\nb"', "holds a line break")])
def test_keys_of_pairs_are_strings_of_one_line(key: str, problem: str) -> None:
    fields, scope = fields_of(f"members: {{{key}: a}}")
    assert fields.pairs("members") == ()
    assert errors(scope)[0].startswith("1:11: a key of 'members': ")
    assert problem in errors(scope)[0]


def test_hints_stop_where_they_would_cost_more_than_they_help() -> None:
    text = "\n".join(f"modes{number}: x" for number in range(MAX_HINTED_PROBLEMS + 1))
    _, scope = fields_of(text)
    told = errors(scope)
    assert told[MAX_HINTED_PROBLEMS - 1].endswith("did you mean 'mode'?")
    assert told[MAX_HINTED_PROBLEMS].endswith("; known are " + ", ".join(KNOWN))
