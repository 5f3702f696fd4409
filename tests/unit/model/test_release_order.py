from __future__ import annotations

import pytest

from bundler.model.release_order import is_older


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2025.03", "2025.04"),
        ("2025.9", "2025.10"),
        ("2025.03", "2025.03.1"),
        ("1.a", "1.1"),
        ("1.a", "1.b"),
        ("1", "1a"),
        ("", "0"),
        ("", "-"),
        ("rc1", "1"),
        ("9", "010"),
    ],
)
def test_one_is_older(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)


@pytest.mark.parametrize(
    ("one", "other"), [("1.0", "1_0"), ("1.0", "1-0"), ("2025.03", "2025.3"), ("", ""), ("-", ".")]
)
def test_neither_is_older(one: str, other: str) -> None:
    assert not is_older(one, other)
    assert not is_older(other, one)
