"""A client's path leads to a path of the tree, never above its top."""

from __future__ import annotations

import pytest

from mirror.ftp.paths import is_pattern, matching, quoted, resolve, without_options
from mirror.tree.served import DirectoryEntry
from tests.work_count import giving_up


@pytest.mark.parametrize(
    ("current", "argument", "expected"),
    [
        ("", "a", "a"),
        ("", "/", ""),
        ("a/b", "c", "a/b/c"),
        ("a/b", "/c", "c"),
        ("a/b", "", "a/b"),
        ("a/b", ".", "a/b"),
        ("a/b", "..", "a"),
        ("a", "../..", ""),
        ("", "../../../etc/passwd", "etc/passwd"),
        ("a", "/../a/./b//c/", "a/b/c"),
        ("a", "....//..", "a"),
        ("a", "%2e%2e/b", "a/%2e%2e/b"),
        ("a", "..\\..\\b", "a/..\\..\\b"),
        ("a", "~", "a/~"),
        ("a", "é/../b", "a/b"),
        ("", "\uff0e\uff0e/b", "\uff0e\uff0e/b"),
    ],
)
def test_paths_are_resolved_as_text(current: str, argument: str, expected: str) -> None:
    assert resolve(current, argument) == expected


def test_no_path_leaves_the_top() -> None:
    for argument in ("/..", "..", "../", "/../..", "a/../../b", "./..", ".//..//x"):
        for current in ("", "a", "a/b"):
            assert ".." not in resolve(current, argument).split("/")


def test_quotes_in_a_path_are_doubled() -> None:
    assert quoted('a"b') == '"/a""b"'


@pytest.mark.parametrize(
    ("argument", "expected"), [("-la", ""), ("-la yum", "yum"), ("-a -l  yum", "yum"), ("yum", "yum"), ("- x", "x")]
)
def test_options_of_ls_are_left_out(argument: str, expected: str) -> None:
    assert without_options(argument) == expected


def test_patterns_match_as_in_a_shell() -> None:
    entries = [DirectoryEntry(name, None) for name in ("a.rpm", "b.rpm", "c.txt", ".hidden.rpm")]
    assert [entry.name for entry in matching(entries, "*.rpm")] == ["a.rpm", "b.rpm"]
    assert [entry.name for entry in matching(entries, ".*")] == [".hidden.rpm"]
    assert [entry.name for entry in matching(entries, "[ac].*")] == ["a.rpm", "c.txt"]


@pytest.mark.parametrize(("path", "expected"), [("a/*.rpm", True), ("*/a", False), ("a", False), ("*" * 9, False)])
def test_patterns_are_bounded_and_in_the_last_segment_only(path: str, expected: bool) -> None:
    assert is_pattern(path) is expected


def test_an_evil_pattern_tries_no_star_again() -> None:
    entries = [DirectoryEntry("a" * 255, None)] * 100
    # each star tried at each letter would be billions of times a thousand steps
    with giving_up():
        assert matching(entries, "*a" * 8 + "b") == ()
