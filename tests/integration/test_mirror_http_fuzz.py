"""Tens of thousands of streams that no client would send, through the real parser, in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.mirror.http.fuzzing import hold_memory_to_the_parser, hold_to_any_bytes

if TYPE_CHECKING:
    from pathlib import Path

PARTS = 4
STREAMS = 20_000


@pytest.mark.parametrize("part", range(PARTS))
def test_any_bytes_at_all(part: int, tmp_path: Path) -> None:
    hold_to_any_bytes(part, STREAMS // PARTS, tmp_path)


@pytest.mark.parametrize("part", range(2))
def test_what_is_known_by_its_bytes_changes_no_answer(part: int, tmp_path: Path) -> None:
    hold_memory_to_the_parser(part, STREAMS // PARTS, tmp_path)
