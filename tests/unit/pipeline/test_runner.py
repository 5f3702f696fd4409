"""Which result and which failure a runner gives, whatever the threads do."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.pipeline.adaptive_jobs import FixedJobs
from bundler.pipeline.runner import Runner, Unit
from tests.fakes.progress import RecordingProgress, RecordingTask

if TYPE_CHECKING:
    from bundler.model.progress import Task


def units(*names: str) -> list[Unit[str]]:
    return [Unit(name, 1, name) for name in names]


def runner(*, jobs: int, keep_going: bool = False, progress: RecordingProgress | None = None) -> Runner:
    return Runner(jobs=FixedJobs(jobs), keep_going=keep_going, progress=progress or RecordingProgress())


def failure(name: str) -> SourceError:
    return SourceError(ErrorId.SOURCE_NOT_FOUND, "is not there", where=name, remedy="Look.")


@pytest.mark.parametrize("jobs", [1, 3, 16])
def test_results_come_in_the_order_of_the_units(jobs: int) -> None:
    progress = RecordingProgress()
    found = runner(jobs=jobs, progress=progress).run_all(units("a", "b", "c"), lambda name, _: name.upper())
    assert found == ["A", "B", "C"]
    assert sorted(task.label for task in progress.tasks) == ["a", "b", "c"]
    assert {task.outcome for task in progress.tasks} == {""}


def test_nothing_to_do_is_no_error() -> None:
    assert runner(jobs=2).run_all([], lambda name, _: name) == []


def test_keep_going_does_the_rest_and_raises_the_first_failure_in_order() -> None:
    done: list[str] = []
    b_failed = threading.Event()

    def act(name: str, _: Task) -> None:
        if name == "a":
            assert b_failed.wait(10)
            raise failure("a")
        if name == "b":
            b_failed.set()
            raise failure("b")
        done.append(name)

    with pytest.raises(SourceError) as caught:
        runner(jobs=2, keep_going=True).run_all(units("a", "b", "c", "d"), act)
    assert caught.value.where == "a"
    assert sorted(done) == ["c", "d"]


def test_without_keep_going_nothing_is_begun_after_a_failure() -> None:
    begun: list[str] = []

    def act(name: str, _: Task) -> None:
        begun.append(name)
        raise failure(name)

    progress = RecordingProgress()
    with pytest.raises(SourceError):
        runner(jobs=1, progress=progress).run_all(units(*"abcdefgh"), act)
    assert begun[0] == "a"
    assert progress.tasks[0].outcome == "failed: is not there"


def test_what_runs_is_cut_short_at_its_next_block() -> None:
    cut, failed, running = threading.Event(), threading.Event(), threading.Event()

    def act(name: str, task: Task) -> None:
        if name == "bad":
            assert running.wait(10)
            raise failure(name)
        running.set()
        try:
            assert failed.wait(10)
            while True:
                task.advance(1)
        finally:
            cut.set()

    with pytest.raises(SourceError):
        runner(jobs=2).run_all(units("bad", "endless"), act)
    failed.set()
    assert cut.wait(10)


def test_a_task_that_cannot_report_ends_the_run() -> None:
    class Broken(RecordingProgress):
        def task(self, label: str, total_bytes: int | None, *, apart: bool = False) -> RecordingTask:
            assert not apart
            raise OSError(f"{label}, {total_bytes}")

    with pytest.raises(OSError, match="a, 1"):
        runner(jobs=1, keep_going=True, progress=Broken()).run_all(units("a"), lambda name, _: name)


def test_an_attempt_keeps_results_beside_failures() -> None:
    def act(name: str, _: Task) -> str:
        if name in "bd":
            raise failure(name)
        return name

    outcome = runner(jobs=2, keep_going=True).attempt_all(units(*"abcd"), act)
    assert outcome.results == {0: "a", 2: "c"}
    assert str(outcome.failure) == "b: is not there"


def test_a_bug_is_raised_even_when_going_on() -> None:
    def act(_: str, __: Task) -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        runner(jobs=1, keep_going=True).run_all(units("a", "b"), act)
