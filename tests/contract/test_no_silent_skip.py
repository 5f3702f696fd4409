"""CI may not pass because integration tests skipped: the hooks of tests/conftest.py, run in a pytest of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {
    "integration/test_call.py": "import pytest\ndef test_it():\n    pytest.skip('no reason')\n",
    "integration/test_mark.py": "import pytest\n@pytest.mark.skip(reason='no reason')\ndef test_it():\n    pass\n",
    "e2e/test_module.py": "import pytest\npytest.skip('no reason', allow_module_level=True)\n",
    "integration/test_listed.py": "import subprocess\ndef test_it():\n    subprocess.run(['no-such-program'])\n",
    "integration/test_unlisted.py": "import subprocess\ndef test_it():\n    subprocess.run(['another-program'])\n",
    "integration/test_xfail.py": "import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert False\n",
    "integration/test_pass.py": "def test_it():\n    pass\n",
    "unit/test_unit.py": "import pytest\ndef test_it():\n    pytest.skip('no reason')\n",
}


def _scratch_project(directory: Path) -> None:
    for name, body in MODULES.items():
        (directory / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / "tests" / name).write_text(body)
    for name in ("conftest.py", "programs.py", "run_record.py"):
        shutil.copy(ROOT / "tests" / name, directory / "tests" / name)
    (directory / "scripts").mkdir()
    (directory / "scripts" / "system-packages.txt").write_text("no-such-program  its-package\n")
    (directory / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers --import-mode=importlib\npythonpath = .\nmarkers = integration\n"
    )


def _outcomes(directory: Path, ci: str) -> tuple[dict[str, str], str]:
    """Run the scratch project; return what became of each of its modules, and all that pytest said."""
    kept = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-rs", "-p", "no:cacheprovider", "-p", "no:xdist", "tests"],
        cwd=directory,
        env={**kept, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^tests/(\S+?)::test_it ([A-Z]+)\b", done.stdout, flags=re.MULTILINE)
    found += [(name, "ERROR") for name in re.findall(r"ERROR collecting tests/(\S+)", done.stdout)]
    return dict(found), done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose tests skip and fail in every way that matters."""
    directory = tmp_path_factory.mktemp("project")
    _scratch_project(directory)
    return directory


def test_at_home_a_missing_program_skips_with_the_line_that_installs_it(project: Path) -> None:
    outcomes, said = _outcomes(project, "")
    assert outcomes == {
        "integration/test_call.py": "SKIPPED",
        "integration/test_mark.py": "SKIPPED",
        "integration/test_listed.py": "SKIPPED",
        "integration/test_unlisted.py": "FAILED",
        "integration/test_xfail.py": "XFAIL",
        "integration/test_pass.py": "PASSED",
        "unit/test_unit.py": "SKIPPED",
    }
    assert "no-such-program is not installed: apt-get install --no-install-recommends its-package" in said


def test_on_ci_no_skip_of_an_integration_test_passes(project: Path) -> None:
    in_modules, said = _outcomes(project, "true")
    assert in_modules == {"e2e/test_module.py": "ERROR"}
    assert "tests/e2e/test_module.py skipped itself, which CI forbids" in said

    (project / "tests" / "e2e" / "test_module.py").unlink()
    outcomes, said = _outcomes(project, "true")
    assert outcomes == {
        "integration/test_call.py": "FAILED",
        "integration/test_mark.py": "ERROR",
        "integration/test_listed.py": "FAILED",
        "integration/test_unlisted.py": "FAILED",
        "integration/test_xfail.py": "XFAIL",
        "integration/test_pass.py": "PASSED",
        "unit/test_unit.py": "SKIPPED",
    }
    assert "no-such-program is not installed" in said
