"""A log of many items is short, and yet tells of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bundler.progress_log import LINES_AT_ONCE, SECONDS_PER_LINE, LineLog

AT_ONCE = int(LINES_AT_ONCE)


@dataclass
class Clock:
    now_s: float = 0
    lines: list[str] = field(default_factory=list)

    def log(self) -> LineLog:
        return LineLog(self.lines.append, lambda: self.now_s)


def end(log: LineLog, name: str, outcome: str = "", moved: int = 0) -> None:
    task = log.task(name, None)
    task.advance(moved)
    task.finish(outcome)


def test_few_items_have_a_line_each() -> None:
    clock = Clock()
    log = clock.log()
    for number in range(AT_ONCE):
        end(log, f"item {number}")
    log.close()
    assert clock.lines == [f"item {number}: done" for number in range(AT_ONCE)]


@pytest.mark.parametrize("count", [1000, 4000])
def test_many_at_once_have_a_line_for_all_of_them_and_the_last_its_name(count: int) -> None:
    clock = Clock()
    log = clock.log()
    for number in range(count):
        end(log, f"item {number}", moved=1024)
    log.close()
    more = count - AT_ONCE - 1
    assert len(clock.lines) == AT_ONCE + 1
    assert clock.lines[-1].startswith(f"item {count - 1}: done, 1.0 KiB (and {more} more, ")


def test_slow_items_have_a_line_each() -> None:
    clock = Clock()
    log = clock.log()
    for number in range(5 * AT_ONCE):
        end(log, f"item {number}", "present")
        clock.now_s += SECONDS_PER_LINE
    log.close()
    assert len(clock.lines) == 5 * AT_ONCE


def test_a_long_run_has_a_line_every_few_seconds_that_counts_the_others() -> None:
    clock = Clock()
    log = clock.log()
    for _ in range(AT_ONCE + 7):
        end(log, "item")
    clock.now_s += SECONDS_PER_LINE
    end(log, "later", moved=1)
    log.close()
    assert clock.lines[AT_ONCE:] == ["later: done, 1 B (and 7 more, 0 B)"]


def test_failures_and_notes_always_have_their_own() -> None:
    clock = Clock()
    log = clock.log()
    for _ in range(2 * AT_ONCE):
        end(log, "item")
    end(log, "bad", "failed: why")
    log.task("good", None).note("again")
    log.note("all of it")
    assert clock.lines[AT_ONCE:] == ["bad: failed: why", "good: again", "all of it"]
