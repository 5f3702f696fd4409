"""A root to serve, and an end to every test that would never have one."""

from __future__ import annotations

import gc
import signal
from typing import TYPE_CHECKING

import pytest

from tests.unit.mirror.bundle_tree import write_bundle
from tests.unit.mirror.supervisor.pools import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root that is a bundle with one file."""
    return write_bundle(tmp_path / "root", {"a": b"first"})


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Fail a test that takes far too long, wherever it waits; a supervisor waits for ever by design."""

    def too_late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(2 * PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    # a supervisor freezes what its workers share with it
    gc.unfreeze()
