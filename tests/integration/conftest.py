"""What tests of several files share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.ready_runtime import runtime_of_run

if TYPE_CHECKING:
    from tests.integration.ready_runtime import ReadyRuntime


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> ReadyRuntime:
    """A runtime for bundles, pinned once for all workers."""
    return runtime_of_run(tmp_path_factory, pytestconfig)
