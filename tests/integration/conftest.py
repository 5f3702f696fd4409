"""What tests of several files share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.integration.ready_runtime import ReadyRuntime, ready_runtime

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> ReadyRuntime:
    """A runtime for bundles, pinned once for all workers."""
    own: Path = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return ready_runtime(shared, pytestconfig.cache.mkdir("portable-python"))
