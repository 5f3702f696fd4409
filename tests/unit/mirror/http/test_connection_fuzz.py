"""A few streams that no client would send; tests/integration/test_mirror_http_fuzz.py brings many more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.mirror.http.fuzzing import hold_memory_to_the_parser, hold_to_any_bytes

if TYPE_CHECKING:
    from pathlib import Path


def test_any_bytes_at_all(tmp_path: Path) -> None:
    hold_to_any_bytes(9110, 500, tmp_path)


def test_what_is_known_by_its_bytes_changes_no_answer(tmp_path: Path) -> None:
    hold_memory_to_the_parser(9112, 300, tmp_path)
