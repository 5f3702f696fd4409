"""Texts in columns: a Chinese character takes two."""

from __future__ import annotations

import pytest

from bundler.columns import is_wide, padded, width, wrapped


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("离线包", 6), ("离线包 a", 8), ("（x）", 5), ("é", 1), ("e\u0301", 1)]
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(padded(text, 10)) == 10
    assert is_wide(text) == (columns > len(text))


def test_a_paragraph_breaks_between_chinese_characters_and_at_spaces() -> None:
    assert wrapped("核对离线包的每个字节", 8) == ["核对离线", "包的每个", "字节"]
    assert wrapped("run it 再次运行 now", 10) == ["run it 再", "次运行 now"]


def test_punctuation_stays_with_its_character() -> None:
    assert wrapped("核对离线。", 8) == ["核对离", "线。"]
    assert wrapped("核对离（线）", 8) == ["核对离", "（线）"]
    assert wrapped("核对离 [默认]", 8) == ["核对离", "[默认]"]


def test_what_has_no_place_to_break_is_longer() -> None:
    assert wrapped("registry.k8s.io/pause", 8) == ["registry.k8s.io/pause"]
    assert wrapped("见 registry.k8s.io/pause", 8) == ["见", "registry.k8s.io/pause"]
    assert wrapped("", 8) == [""]
