"""What the mirror writes for its operator, where nobody may be reading."""

from __future__ import annotations

import subprocess
import sys

import pytest

WRITES = "from mirror.worker.operator_log import log_line; log_line('reloaded'); print('went on')"


@pytest.mark.parametrize("stderr", ["", "2>&-"])
def test_nobody_who_listens_stops_nothing(stderr: str) -> None:
    command = f'exec "$0" -c "$1" {stderr}'
    done = subprocess.run(["sh", "-c", command, sys.executable, WRITES], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    assert done.stderr == ("" if stderr else "mirror: reloaded\n")
