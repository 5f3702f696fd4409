"""What a command of bundler answers with --json, run as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

BUNDLER = str(Path(sys.executable).with_name("bundler"))
WITHIN_S = 300


def bundler(directory: Path, *words: str, code: int = 0, before: Sequence[str] = ()) -> dict[str, Any]:
    """Run a command in a directory; return its answer, after it ended with this code.

    Arguments:
        before: what its command line begins with, to run in another network namespace.
    """
    command = [*before, BUNDLER, *words, "--json"]
    done = subprocess.run(command, cwd=directory, capture_output=True, timeout=WITHIN_S, check=False)
    assert done.returncode == code, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer
