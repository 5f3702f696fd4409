"""Fixtures of the whole journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.demo_run import run_demo
from tests.e2e.upstream import Upstream, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.demo_run import Demo


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Upstream]:
    """An upstream of this test alone."""
    with upstream(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A finished demo, run twice in the same place: the second run replaces what the first one left."""
    directory = tmp_path_factory.mktemp("demo") / "out"
    run_demo(directory)
    return run_demo(directory)
