"""scripts/test ends with all that it has started, and says which tests are missing: in a small project of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT
from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
WITHIN_S = 120
# one server as tests start them, and one that has left its parent and its session behind
SERVERS = """
import os, signal, subprocess, sys
from pathlib import Path
import pytest
pytestmark = pytest.mark.xdist_group("x")
MARK = Path(__file__).with_name("begun")
SERVER = "import signal, sys; signal.signal(signal.SIGTERM, getattr(signal, sys.argv[1])); signal.pause()"
def test_servers_are_left():
    subprocess.Popen(["sleep", "4321"])
    if os.fork() == 0:
        os.setsid()
        subprocess.Popen([sys.executable, "-c", SERVER, os.environ.get("ON_SIGTERM", "SIG_DFL")])
        os._exit(0)
def test_which_never_ends():
    MARK.touch()
    signal.pause()
def test_behind_it():
    pass
"""
MODULES = {
    "test_first.py": SERVERS,
    "test_second.py": "def test_one():\n    pass\ndef test_two():\n    pass\n",
    "test_third.py": "def test_alone():\n    pass\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with this one's way to run its tests, and tests that leave servers and hang."""
    shutil.copytree(ROOT / "scripts" / "suite", tmp_path / "scripts" / "suite")
    (tmp_path / "tests").mkdir()
    for name in ("conftest.py", "programs.py", "run_record.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests" / name)
    for name, body in MODULES.items():
        (tmp_path / "tests" / name).write_text(body)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\npythonpath = .\nmarkers = integration\n"
    )
    return tmp_path


@contextmanager
def running(
    project: Path, *words: str, limit_s: int = WITHIN_S, on_sigterm: str = "SIG_DFL"
) -> Iterator[subprocess.Popen[str]]:
    """Run the project's tests until the block ends."""
    command = [sys.executable, "-m", "scripts.suite", f"--limit-s={limit_s}", *words, "tests"]
    pipe = subprocess.PIPE
    environment = {**os.environ, "ON_SIGTERM": on_sigterm}
    with subprocess.Popen(command, cwd=project, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            # killed, it would leave what it has started
            process.terminate()
            process.wait(WITHIN_S)


def below(project: Path) -> list[str]:
    """Return the command lines of processes that were started in the project."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and entry.name != str(os.getpid()):
            try:
                if (entry / "cwd").readlink().is_relative_to(project):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


@pytest.mark.parametrize(
    ("number", "code", "why"),
    [
        (signal.SIGINT, 130, "SIGINT"),
        (signal.SIGTERM, 143, "SIGTERM"),
        # what the limit's clock sends when it is over
        (signal.SIGALRM, 124, f"its limit of {WITHIN_S} s"),
    ],
    ids=["Ctrl-C", "SIGTERM", "limit"],
)
def test_no_process_is_left_and_what_is_missing_is_named(
    project: Path, number: signal.Signals, code: int, why: str
) -> None:
    # a server that SIGTERM does not end takes all the time that servers have: once is enough
    on_sigterm = "SIG_IGN" if number == signal.SIGTERM else "SIG_DFL"
    # one after the other: then it is known which are missing
    with running(project, "-n0", on_sigterm=on_sigterm) as process:
        eventually((project / "tests" / "begun").exists, "the test that never ends has begun")
        eventually(lambda: [line for line in below(project) if on_sigterm in line], "the server has begun")
        process.send_signal(number)
        out, errors = process.communicate(timeout=WITHIN_S)
    assert below(project) == []
    assert process.returncode == code, out + errors
    assert f"scripts/test: ended by {why} in pytest -n0 tests; 5 of 6 tests were not finished:\n" in errors
    named = [line.strip() for line in errors.splitlines() if line.startswith("  ")]
    assert named == [
        "tests/test_first.py::test_which_never_ends (was running)",
        "tests/test_first.py::test_behind_it",
        "tests/test_second.py (all 2)",
        "tests/test_third.py::test_alone",
    ]


def test_a_run_with_workers_is_ended_as_well(project: Path) -> None:
    with running(project) as process:
        eventually((project / "tests" / "begun").exists, "the test that never ends has begun")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WITHIN_S)
    assert below(project) == []
    assert process.returncode == 143
    assert "  tests/test_first.py::test_which_never_ends (was running)\n" in errors
    assert "@x" not in errors


def test_the_limit_is_kept(project: Path) -> None:
    (project / "tests" / "test_first.py").write_text(
        "import signal\ndef test_which_never_ends():\n    signal.pause()\n"
    )
    began = time.monotonic()
    with running(project, limit_s=1) as process:
        _, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 124
    assert "scripts/test: ended by its limit of 1 s in pytest tests" in errors
    assert time.monotonic() - began >= 1
    assert below(project) == []


def test_a_run_that_ends_by_itself_gives_pytest_s_code_and_ends_what_was_left(project: Path) -> None:
    (project / "tests" / "test_second.py").write_text("def test_one():\n    assert False\n")
    with running(project, "-k", "left or test_one") as process:
        out, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 1, errors
    assert "1 failed, 1 passed" in out
    assert "scripts/test: ended what was left: " in errors
    assert "sleep 4321" in errors
    assert below(project) == []
