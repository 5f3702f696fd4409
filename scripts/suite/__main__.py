"""`python -m scripts.suite --limit-s SECONDS [WORDS OF PYTEST…]`: all steps of scripts/test, or only these tests.

Ends with the code of the first step that failed; 124 after the limit, 130 after Ctrl-C, 143 after SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.suite.bounded_step import Step, run, start, watch_signals
from scripts.suite.child_tree import adopt_orphans, end_descendants
from scripts.suite.unfinished import progress, unfinished_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

# what takes a file's path in the environment and keeps record there: tests/conftest.py
RECORD = "TEST_RUN_RECORD"
# a test that hangs says where after five minutes
HANGING = "-o faulthandler_timeout=300"
TIDIED_WITHIN_S = 10
# One more than the two processors that are the least, since tests of hosts mostly wait. Every engine and registry takes
# memory and a processor of its own, so the number does not grow with the machine.
WORKERS = "3"
AFTER_LIMIT, AFTER_SIGNAL = 124, 128
# What the tests' hosts boot is made while the static checks run: mostly it waits for downloads, once per machine.
HOST_IMAGE = Step("the hosts' image", (sys.executable, "-m", "tests.hosts.debian_image"))
CHECKS = Step("scripts/check", ("scripts/check",), {"PYTEST_ADDOPTS": HANGING})


def pytest_step(words: Sequence[str]) -> Step:
    """Return the step that runs these tests; words that name a number of workers replace ours."""
    options = (*HANGING.split(), "--dist", "loadgroup", "--no-loadscope-reorder", "-n", WORKERS)
    command = (sys.executable, "-m", "pytest", "-q", *options, *words)
    return Step("pytest " + " ".join(words), command)


def steps_of(words: Sequence[str]) -> tuple[Step, ...]:
    """Return what is run, in order; with words of pytest these alone."""
    return (pytest_step(words),) if words else (CHECKS, pytest_step(("tests/integration", "tests/e2e")))


def run_steps(steps: Sequence[Step], record: Path, limit_s: int) -> int:
    """Run steps until one fails; say what was not run where one was cut short."""
    for number, step in enumerate(steps):
        record.write_text("")
        ending = run(Step(step.name, step.command, {**step.environment, RECORD: str(record)}))
        if ending.cut:
            _tell_cut(ending.cut, step, record, limit_s)
            if later := [further.name for further in steps[number + 1 :]]:
                _tell(f"not begun: {', '.join(later)}")
            return AFTER_LIMIT if ending.cut == signal.SIGALRM else AFTER_SIGNAL + ending.cut
        if ending.code:
            return ending.code if ending.code > 0 else AFTER_SIGNAL - ending.code
    return 0


def _tell_cut(cut: signal.Signals, step: Step, record: Path, limit_s: int) -> None:
    why = f"its limit of {limit_s} s" if cut == signal.SIGALRM else cut.name
    with record.open() as lines:
        found = progress(lines)
    if not found.collected:
        _tell(f"ended by {why} in {step.name}, before any test was collected")
        return
    _tell(f"ended by {why} in {step.name}; {found.unfinished} of {len(found.collected)} tests were not finished:")
    print("\n".join(f"  {line}" for line in unfinished_lines(found)), file=sys.stderr, flush=True)


def _tell(text: str) -> None:
    print(f"scripts/test: {text}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for, then end every process that it has left."""
    parser = argparse.ArgumentParser(prog="scripts/test")
    parser.add_argument("--limit-s", type=int, required=True)
    settings, words = parser.parse_known_args(arguments)
    adopt_orphans()
    watch_signals(settings.limit_s)
    if not words and os.geteuid() == 0:
        start(HOST_IMAGE)
    with tempfile.TemporaryDirectory(prefix="scripts-test-") as scratch:
        try:
            return run_steps(steps_of(words), Path(scratch) / "record", settings.limit_s)
        finally:
            left, immortal = end_descendants(TIDIED_WITHIN_S)
            if left:
                _tell(f"ended what was left: {'; '.join(dict.fromkeys(left))}")
            if immortal:
                _tell(f"could not end: {'; '.join(immortal)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
