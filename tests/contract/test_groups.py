"""What a file of integration tests sets up is set up once, however many workers there are: groups of conftest.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.conftest import LONG
from tests.contract.checkout import ROOT, python_files

if TYPE_CHECKING:
    from pathlib import Path

SHARING = """
import os
from pathlib import Path
import pytest
PLACE = Path(__file__).parents[2]
COUNT = {"test_a": 6, "test_b": 5, "test_c": 4}[Path(__file__).stem]
@pytest.fixture(scope="module")
def server():
    (PLACE / f"{Path(__file__).stem}-{os.getpid()}").touch()
@pytest.mark.parametrize("number", range(COUNT))
def test_it(server, number):
    with (PLACE / "order").open("a") as order:
        order.write(f"{Path(__file__).stem}\\n")
"""


def test_tests_of_a_file_run_in_one_worker_and_long_ones_begin(tmp_path: Path) -> None:
    (tmp_path / "tests" / "integration").mkdir(parents=True)
    for name in ("conftest.py", "programs.py", "run_record.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests")
    long = f"{SHARING}\npytestmark = pytest.mark.xdist_group({LONG[0]!r})\n"
    for name, body in (("test_a", SHARING), ("test_b", SHARING), ("test_c", long)):
        (tmp_path / "tests" / "integration" / f"{name}.py").write_text(body)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\npythonpath = .\nmarkers = integration\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--dist",
        "loadgroup",
        "--no-loadscope-reorder",
        "-n",
        "2",
        "tests",
    ]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "15 passed" in done.stdout
    assert len(list(tmp_path.glob("test_*"))) == 3
    # two begin at once, the one of few tests that take long and the one of most; of the third one nothing runs before
    assert "test_b" not in (tmp_path / "order").read_text().split()[:4]


def test_every_long_group_is_one_that_tests_have() -> None:
    texts = [path.read_text() for path in python_files("tests/integration", "tests/e2e")]
    stems = {path.stem for path in python_files("tests/integration", "tests/e2e")}
    assert [
        name for name in LONG if name not in stems and not any(f'xdist_group("{name}")' in text for text in texts)
    ] == []
