"""Paths inside a bundle."""

from __future__ import annotations

import posixpath
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.bundle_path import RESERVED, BundlePath, reserved_problem
from tests.unit.model.values import bundle_paths


@given(bundle_paths())
def test_safe_paths_stay_as_they_are(path: BundlePath) -> None:
    assert BundlePath(str(path)) == path
    assert posixpath.normpath(path) == path


@given(st.text(st.sampled_from("a./\\~\x00\n\u0301\ud800A") | st.characters(), max_size=12))
def test_any_text_is_a_safe_path_or_a_value_error(text: str) -> None:
    try:
        path = BundlePath(text)
    except ValueError:
        return
    assert posixpath.normpath(posixpath.join("/root", path)).startswith("/root/")
    assert posixpath.normpath(path) == text
    assert unicodedata.normalize("NFC", path) == path
    assert path.encode().decode() == text
    assert "\n" not in path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("..", "segment"),
        ("a/../b", "segment"),
        ("./a", "segment"),
        ("a/.", "segment"),
        ("a//b", "segment"),
        ("a/", "segment"),
        ("a\\b", "backslash"),
        ("a\nb", "control"),
        ("a\x00", "control"),
        ("a\u2028b", "control"),
        ("a\udc80", "not in UTF-8"),
        ("e\u0301", "normal form"),
        ("a" * 256, "segment longer than 255"),
        ("\u4e07" * 86, "segment longer than 255"),
        ("a/" * 512 + "a", "longer than 1024"),
    ],
)
def test_unsafe_paths(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        BundlePath(text)


def test_the_longest_paths() -> None:
    assert BundlePath("a" * 255)
    assert BundlePath("/".join(["a" * 255] * 4))


@pytest.mark.parametrize(("first", "second"), [("A/b", "a/B"), ("stra\u00dfe", "STRASSE"), ("\u212b", "\u00e5")])
def test_what_collides_on_some_file_system(first: str, second: str) -> None:
    assert BundlePath(unicodedata.normalize("NFC", first)).collision_key == BundlePath(second).collision_key


def test_parents_come_outermost_first() -> None:
    assert BundlePath("a/b/c").parents == ("a", "a/b")
    assert BundlePath("a").parents == ()


@pytest.mark.parametrize("top", [*sorted(RESERVED), "YUM", "sha256sums", "@bundle"])
def test_reserved_names_are_refused_at_the_top_only(top: str) -> None:
    assert repr(top) in reserved_problem(BundlePath(top))
    assert repr(top) in reserved_problem(BundlePath(f"{top}/x"))
    assert reserved_problem(BundlePath(f"x/{top}")) == ""


def test_a_path_of_a_path_is_the_same_one() -> None:
    path = BundlePath("files/a")
    assert BundlePath(path) is path
