"""The import contracts, checked on a copy of the packages that a test may spoil."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.contract.checkout import PRODUCT, ROOT

LINT_IMPORTS = str(Path(sys.executable).with_name("lint-imports"))
_BROKEN = re.compile(r"^(.+) BROKEN\b", re.MULTILINE)


def copy_packages(directory: Path) -> None:
    """Copy the packages and their contracts into an empty directory."""
    shutil.copy(ROOT / "pyproject.toml", directory)
    for package in PRODUCT:
        shutil.copytree(ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))


def broken_contracts(directory: Path) -> tuple[set[str], str]:
    """Return the names of the contracts that the packages in a directory break, and the whole report."""
    command = [LINT_IMPORTS, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    broken = set(_BROKEN.findall(done.stdout))
    # an error that is no broken contract must not pass for a kept one
    assert done.returncode == bool(broken), done.stdout + done.stderr
    assert "Contracts:" in done.stdout
    return broken, done.stdout
