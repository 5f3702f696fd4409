"""scripts/system-packages waits for another apt: with the real one, in directories of the test's."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
WITHIN_S = 120
CONFIG = """\
Dir::State "{place}/state";
Dir::State::status "{place}/status";
Dir::Cache "{place}/cache";
Dir::Etc "{place}/etc";
Dir::Log "{place}/log";
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An apt that knows no source and has nothing installed, and a project that wants a program which nobody has."""
    for name in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d", "log"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "status").touch()
    (tmp_path / "apt.conf").write_text(CONFIG.format(place=tmp_path))
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "system-packages", tmp_path / "scripts")
    (tmp_path / "scripts" / "system-packages.txt").write_text("no-such-program  no-such-package\n")
    return tmp_path


def started(place: Path) -> subprocess.Popen[str]:
    """Start the script."""
    if os.geteuid() != 0:
        pytest.skip("only root installs packages")
    pipe, environment = subprocess.PIPE, {**os.environ, "APT_CONFIG": str(place / "apt.conf")}
    return subprocess.Popen(
        [place / "scripts" / "system-packages"], env=environment, stdout=pipe, stderr=pipe, text=True
    )


def test_what_apt_does_not_have_is_named(place: Path) -> None:
    with started(place) as process:
        out, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0
    assert out == "scripts/system-packages: installing no-such-package\n"
    assert "no-such-package could not be installed: E: Unable to locate package no-such-package" in errors


def test_another_apt_that_reads_its_lists_is_waited_for(place: Path) -> None:
    with (place / "state/lists/lock").open("w") as file:
        # apt's locks are those of fcntl(2)
        fcntl.lockf(file, fcntl.LOCK_EX)
        with started(place) as process:
            assert process.stderr is not None
            waits = process.stderr.readline()
            assert waits.startswith("scripts/system-packages: waiting for another apt: It is held by process "), waits
            assert str(os.getpid()) in waits
            fcntl.lockf(file, fcntl.LOCK_UN)
            _, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0
    assert "Unable to locate package no-such-package" in errors
