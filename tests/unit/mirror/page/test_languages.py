"""Which language a person gets."""

from __future__ import annotations

import pytest

from mirror.page.languages import choose_language


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("ZH", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("zh;q=0.3, en;q=0.4", "en"),
        ("en;q=0.4 , zh;q=0.4", "en"),
        ("zh;q=0.4,en;q=0.4", "zh"),
        ("de, zh;q=0.1", "zh"),
        ("zh;q=0", "en"),
        ("zh; q=0.000, *", "en"),
        ("*;q=0.1, zh;q=0.5", "zh"),
        ("zh;q=2", "en"),
        ("zh;q=nan", "en"),
        ("zh;q=inf", "en"),
        ("zh;q=", "en"),
        ("zh;q=٣", "en"),
        ("zh;level=1", "en"),
        (",;,,zh;;q", "en"),
        ("zhx", "en"),
    ],
)
def test_browser_is_asked_last(accept: str, language: str) -> None:
    assert choose_language("", "", accept) == language


def test_address_wins_over_cookie_and_cookie_over_browser() -> None:
    assert choose_language("zh", "en", "en") == "zh"
    assert choose_language("", "en", "zh") == "en"
    assert choose_language("", "zh", "en") == "zh"


@pytest.mark.parametrize("unknown", ["de", "ZH", "zh-CN", "<script>", "zh\0"])
def test_unknown_language_counts_as_none(unknown: str) -> None:
    assert choose_language(unknown, unknown, "zh") == "zh"


def test_field_without_end_is_cut() -> None:
    assert choose_language("", "", "de," * 100_000 + "zh") == "en"
