"""Text from a bundle cannot hide, move or reverse what stands beside it."""

from __future__ import annotations

import pytest

from mirror.page.escaping import MAX_SHOWN_CHARACTERS, escape_unprintable, escape_unprintable_block, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("kubeadm-1.22.1-0.x86_64", "kubeadm-1.22.1-0.x86_64"),
        ("说明 Ünïcode עברית", "说明 Ünïcode עברית"),
        ("a\u3000b\u00a0c", "a\u3000b\u00a0c"),
        ("gpj.\u202eexe", "gpj.[U+202E]exe"),
        ("\u2066x\u2069", "[U+2066]x[U+2069]"),
        ("a\0b\x1b[31m", "a[U+0000]b[U+001B][31m"),
        ("zero\u200bwidth", "zero[U+200B]width"),
        ("line\u2028two\nthree", "line[U+2028]two[U+000A]three"),
        ("\ud800", "[U+D800]"),
    ],
)
def test_characters_without_a_shape_are_written_out(text: str, seen: str) -> None:
    assert escape_unprintable(text) == seen


def test_blocks_keep_their_lines() -> None:
    assert escape_unprintable_block("a\n\tb\r\x07") == "a\n\tb[U+000D][U+0007]"


def test_long_text_is_cut() -> None:
    assert shown("x" * MAX_SHOWN_CHARACTERS) == "x" * MAX_SHOWN_CHARACTERS
    assert shown("x" * 10_000_000) == "x" * (MAX_SHOWN_CHARACTERS - 1) + "…"
    assert shown("gpj.\u202eexe") == "gpj.[U+202E]exe"
