"""What holds for every test: real programs may be missing at home, never on CI.

A test of integration/ or e2e/ that cannot start a program of scripts/system-packages.txt is skipped with the line that
installs it. With CI=true every skip of such a test, for whatever reason, is a failure: an unnoticed skip there would
mean that nothing was tested.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from bundler.translation import wanted_language
from tests.programs import missing_program
from tests.run_record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Generator

# what tests read is English, whoever runs them
if wanted_language(os.environ):
    os.environ["LC_ALL"] = "C.UTF-8"
# speed is measured by scripts/bench, never by a test: a busy machine must not fail one
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# pytest puts a test's name into its programs' environment, where Linux takes no string beyond 128 KiB (execve(2))
LONGEST_ID = 200
# groups of tests that take a minute and more, the longest first
LONG = ("site", "demo", "hosts", "test_benchmarks", "runtime", "test_push_docker", "test_solver_against_dnf")
WITH_REAL_PROGRAMS = ("tests/integration/", "tests/e2e/")


def on_ci() -> bool:
    """Tell whether skipping is forbidden."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def talks_to_real_programs(node_id: str) -> bool:
    """Tell whether a test or module (named from the project root, as pytest does) is one that may not skip."""
    return node_id.startswith(WITH_REAL_PROGRAMS)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark of groups known, also without pytest-xdist; keep record where scripts/test asks for that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Ctrl-C reaches the programs that tests start, also where a shell has put the tests into the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "xdist_group(name): tests that run in one worker of pytest-xdist")
    # taken out: a test that runs pytest itself, and the workers of this run, keep none
    if path := os.environ.pop("TEST_RUN_RECORD", ""):
        config.pluginmanager.register(RunRecord(Path(path)))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a long value by its length; pytest numbers those that would be the same."""
    if isinstance(val, bytes | str) and len(val) > LONGEST_ID:
        return f"{len(val)}-long"
    return None


# before pytest-xdist reads the groups
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test below integration/ and e2e/ its mark, whether or not its author wrote it, and its group.

    Tests of one file run in one worker, so that what a module or a package sets up is set up once: engines, registries,
    bundles, hosts. What takes long begins first, lest one worker be left with it at the end.
    """
    for item in items:
        if talks_to_real_programs(item.nodeid):
            item.add_marker(pytest.mark.integration)
            if item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))
    sizes = Counter(map(_group, items))
    turns = {
        name: (LONG.index(name) if name in LONG else len(LONG), -size, name) for name, size in sizes.items() if name
    }
    # what has no group stays in its order, behind all groups
    items.sort(key=lambda item: turns.get(_group(item), (len(LONG), 0, "")))


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return "" if mark is None else str(mark.args[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Skip when a fixture could not start a program."""
    yield from _skipping_without_programs(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Skip when the test itself could not start a program."""
    yield from _skipping_without_programs(item)


def _skipping_without_programs(item: pytest.Item) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if item.get_closest_marker("integration") is None or not (reason := missing_program(error)):
            raise
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped integration test into a failed one on CI (an expected failure is no skip)."""
    report = yield
    marked = item.get_closest_marker("integration") is not None
    if report.skipped and marked and on_ci() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI forbids: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a whole module that skips itself into a failed one on CI."""
    report = yield
    if report.outcome == "skipped" and on_ci() and talks_to_real_programs(collector.nodeid):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped itself, which CI forbids: {report.longrepr}"
    return report
