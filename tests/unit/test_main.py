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
sys.argv[1:] = ["--help"]
from bundler.__main__ import main
main()
"""


@pytest.mark.parametrize(("threads", "wound_up"), [("busy", False), ("idle", True)])
def test_threads_that_nobody_waits_for_are_not_thrown_out_of_what_they_do(threads: str, wound_up: bool) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, threads], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")
    assert ("wound up" in done.stdout) is wound_up
    assert done.stderr == ""


INTERRUPTED = """
import os, signal, sys
wanted = sys.argv.pop()

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
        return None

sys.meta_path.insert(0, Interrupter())
for loaded in [name for name in sys.modules if name in ("threading", "enum")]:
    del sys.modules[loaded]
sys.argv[1:] = ["verify", "/nonexistent"]
from {program}.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["threading", "PROGRAM.cli", "click", "bundler.console", "bundler.errors", "enum"])
@pytest.mark.parametrize("program", ["bundler", "mirror"])
def test_an_interruption_while_the_program_is_loaded_is_quiet(program: str, module: str) -> None:
    text = INTERRUPTED.replace("{program}", program)
    wanted = module.replace("PROGRAM", program)
    done = subprocess.run([sys.executable, "-c", text, wanted], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_what_ignores_interruptions_goes_on_doing_so() -> None:
    text = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + INTERRUPTED.replace("{program}", "bundler")
    done = subprocess.run([sys.executable, "-c", text, "click"], capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "Traceback" not in done.stderr
