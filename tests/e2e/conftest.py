"""Fixtures of the whole journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.upstream import Upstream, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Upstream]:
    """An upstream of this test alone."""
    with upstream(tmp_path) as running:
        yield running
