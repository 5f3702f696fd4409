"""Progress that several watch."""

from __future__ import annotations

from bundler.progress_log import LineLog
from bundler.progress_watchers import Watchers


def test_all_of_them_are_told_everything() -> None:
    seen: tuple[list[str], list[str]] = ([], [])
    watchers = Watchers(tuple(LineLog(lines.append, lambda: 0.0) for lines in seen))
    watchers.expect(10)
    task = watchers.task("keadm", 10)
    task.advance(10)
    task.note("again")
    task.finish("present")
    watchers.note("all")
    watchers.close()
    assert seen[0] == ["10 B to go", "keadm: again", "keadm: present, 10 B", "all"]
    assert seen[1] == seen[0]


def test_without_items_only_what_matters_is_told() -> None:
    lines: list[str] = []
    log = LineLog(lines.append, lambda: 0.0, items=False)
    log.expect(10)
    task = log.task("keadm", 10)
    task.note("again")
    task.finish()
    log.task("other", None).finish("failed: no room")
    log.close()
    assert lines == ["keadm: again", "other: failed: no room"]
