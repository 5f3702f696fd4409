"""scripts/demo-recording records what it shows: run in a network of its own, where its ports are free."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripts.demo_recording.__main__ import COMMANDS
from scripts.demo_recording.cast import PROMPT, load_cast
from tests.contract.checkout import ROOT

pytestmark = pytest.mark.integration
RECORD = "from scripts.demo_recording.__main__ import make_recording; print(make_recording().dump(), end='')"
WITHIN_S = 300


def test_every_command_runs_and_prints_something() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make a network")
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", 'ip link set lo up; exec "$@"', "sh", sys.executable, "-c", RECORD],
        cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.text for line in load_cast(done.stdout).lines]
    assert [line.removeprefix(PROMPT) for line in lines if line.startswith(PROMPT)] == list(COMMANDS)
    assert any("files intact" in line for line in lines)
    assert '{"repositories": ["demo/greeter", "demo/hello", "demo/pause", "kubeedge/pause"]}' in lines
    assert lines[-1] == "every file and every image was made on the spot by scripts/demo_upstream."
