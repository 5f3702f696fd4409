"""Fixtures of the whole journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.demo_run import interrupt_demo, run_demo
from tests.e2e.upstream import Upstream, upstream
from tests.integration.ready_runtime import runtime_of_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.demo_run import Demo
    from tests.integration.ready_runtime import ReadyRuntime


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Upstream]:
    """An upstream of this test alone."""
    with upstream(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A finished demo, in a place where another one was ended half-way: it replaces what that one has left."""
    directory = tmp_path_factory.mktemp("demo") / "out"
    interrupt_demo(directory)
    assert (directory / "unpacked" / "bundle.json").is_file()
    return run_demo(directory)


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> ReadyRuntime:
    """A runtime for bundles, pinned once for all workers."""
    return runtime_of_run(tmp_path_factory, pytestconfig)
