"""Which tests a run has not finished, from the record that `tests/run_record.py` writes."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run came; tests by their ids, in the order in which they were collected.

    Arguments:
        collected: all of them.
        running: those that had begun and not ended.
        waiting: those that had not begun.
    """

    collected: tuple[str, ...]
    running: tuple[str, ...]
    waiting: tuple[str, ...]

    @property
    def unfinished(self) -> int:
        """How many are missing."""
        return len(self.running) + len(self.waiting)


def progress(record: Iterable[str]) -> Progress:
    """Read a record; a last line that was cut off is no line."""
    collected: dict[str, None] = {}
    begun: set[str] = set()
    ended: set[str] = set()
    for line in record:
        if not line.endswith("\n"):
            break
        what, tests = json.loads(line)
        if what == "collected":
            collected.update(dict.fromkeys(tests))
        else:
            (begun if what == "began" else ended).update(tests)
    running = tuple(test for test in collected if test in begun - ended)
    waiting = tuple(test for test in collected if test not in begun | ended)
    return Progress(tuple(collected), running, waiting)


def unfinished_lines(found: Progress) -> list[str]:
    """Return a line for each test that is missing; a file of which none was begun has one for all."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for test in found.collected:
        files[test.partition("::")[0]].append(test)
    waiting = set(found.waiting)
    lines = [f"{test} (was running)" for test in found.running]
    for file, tests in files.items():
        missing = [test for test in tests if test in waiting]
        lines += missing if len(missing) < len(tests) or len(tests) == 1 else [f"{file} (all {len(tests)})"]
    return lines
