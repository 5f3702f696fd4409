"""An empty store and a watched task for every test of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    """An empty store."""
    return MemoryStore(tmp_path / "store")


@pytest.fixture
def task() -> RecordingTask:
    """A task that keeps what it is told."""
    return RecordingTask()
