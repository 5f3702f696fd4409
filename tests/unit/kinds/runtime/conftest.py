"""An upstream for every test of the kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.kinds.runtime.runtime_upstream import Upstream

if TYPE_CHECKING:
    from tests.fakes.store import MemoryStore


@pytest.fixture
def upstream(store: MemoryStore) -> Upstream:
    """All that a runtime is made of."""
    return Upstream(store)
