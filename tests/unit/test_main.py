"""How the `bundler` program ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading
atexit.register(print, "the interpreter was wound up")
if sys.argv.pop() == "busy":
    threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.argv[1:] = ["--version"]
from bundler.__main__ import main
main()
"""


@pytest.mark.parametrize(("threads", "wound_up"), [("busy", False), ("idle", True)])
def test_threads_that_nobody_waits_for_are_not_thrown_out_of_what_they_do(threads: str, wound_up: bool) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, threads], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("bundler, version")
    assert ("wound up" in done.stdout) is wound_up
    assert done.stderr == ""
