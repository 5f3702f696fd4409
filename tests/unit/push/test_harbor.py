"""Waiting for a registry, and which projects are made; the API itself is in tests/integration/test_push_harbor.py."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bundler.errors import ErrorId, PublishError
from bundler.net.harbor.login_doubt import HEALTH_LAG_S
from bundler.net.interface import HarborHealth
from bundler.push.harbor import NewProjects, WaitPolicy, await_registry, ensure_projects
from bundler.push.push_plan import PushSettings, push_plan
from tests.fakes.harbor import FakeHarbor
from tests.fakes.progress import RecordingProgress
from tests.fakes.registry_writer import MemoryWriter
from tests.unit.push.planned_images import image

UNHEALTHY = HarborHealth(healthy=False, unhealthy_components=("jobservice",))


@dataclass
class Time:
    """A clock that only waiting moves."""

    now_s: float = 0.0

    def wait(self, wait_s: float) -> WaitPolicy:
        return WaitPolicy(wait_s, self.sleep, lambda: self.now_s)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_another_registry_is_left_alone() -> None:
    harbor = FakeHarbor(is_a_harbor=False)
    assert not await_registry(MemoryWriter(), harbor, Time().wait(0), RecordingProgress())


def test_it_waits_until_harbor_is_healthy_and_no_longer_than_asked() -> None:
    time = Time()
    assert await_registry(
        MemoryWriter(),
        FakeHarbor([UNHEALTHY, UNHEALTHY, HarborHealth(healthy=True)]),
        time.wait(60),
        RecordingProgress(),
    )
    assert time.now_s == 4.0
    with pytest.raises(PublishError, match="jobservice") as caught:
        await_registry(MemoryWriter(), FakeHarbor([UNHEALTHY]), time.wait(10), RecordingProgress())
    assert caught.value.id == ErrorId.PUSH_UNHEALTHY
    assert time.now_s == 14.0


def test_without_waiting_an_unhealthy_harbor_is_used_all_the_same() -> None:
    progress = RecordingProgress()
    assert await_registry(MemoryWriter(), FakeHarbor([UNHEALTHY]), Time().wait(0), progress)
    assert "jobservice" in progress.notes[0]


DATABASE = HarborHealth(healthy=False, unhealthy_components=("database",))
WELL = HarborHealth(healthy=True)


def test_while_the_database_is_away_no_login_is_tried_and_refusals_just_after_it_are_waited_out() -> None:
    time, writer = Time(), MemoryWriter(login_refusals=3)
    assert await_registry(writer, FakeHarbor([DATABASE, DATABASE, WELL]), time.wait(60), RecordingProgress())
    # two looks at its health, then three refusals by what is not yet connected again
    assert (writer.calls, time.now_s) == (["LOGIN"] * 4, 10.0)


def test_a_refusal_by_a_healthy_harbor_is_told_at_once() -> None:
    time = Time()
    with pytest.raises(PublishError) as caught:
        await_registry(MemoryWriter(login_refusals=99), FakeHarbor([WELL]), time.wait(60), RecordingProgress())
    assert (caught.value.id, time.now_s) == (ErrorId.PUSH_UNAUTHORIZED, 0.0)


def test_a_wrong_password_is_told_as_such_once_harbor_has_been_healthy_for_long_enough() -> None:
    time = Time()
    with pytest.raises(PublishError) as caught:
        await_registry(
            MemoryWriter(login_refusals=99), FakeHarbor([DATABASE, WELL]), time.wait(60), RecordingProgress()
        )
    assert (caught.value.id, time.now_s) == (ErrorId.PUSH_UNAUTHORIZED, HEALTH_LAG_S)


def test_without_waiting_the_sick_component_is_named_beside_the_refusal() -> None:
    with pytest.raises(PublishError) as caught:
        await_registry(MemoryWriter(login_refusals=1), FakeHarbor([DATABASE]), Time().wait(0), RecordingProgress())
    error = caught.value
    assert error.id == ErrorId.PUSH_UNAUTHORIZED
    assert "refuses the credentials; Harbor says that it is not healthy (database)" in str(error)
    assert "--wait 300" in error.remedy


def test_another_registry_is_asked_for_the_login_too() -> None:
    with pytest.raises(PublishError):
        await_registry(
            MemoryWriter(login_refusals=1), FakeHarbor(is_a_harbor=False), Time().wait(0), RecordingProgress()
        )


def test_only_projects_that_are_known_to_be_missing_are_made() -> None:
    plan = push_plan(
        [image("a.example/x/app:1"), image("a.example/y/app:1"), image("a.example/z/app:1")], PushSettings()
    )
    harbor = FakeHarbor(projects={"x": True, "y": None})
    assert ensure_projects(plan, harbor, NewProjects(), dry_run=True).empty == ("z",)
    assert harbor.created == []
    assert ensure_projects(plan, harbor, NewProjects(public=False, quota_bytes=5), dry_run=False).empty == ("z",)
    assert harbor.created == ["z False 5"]


@pytest.mark.parametrize(("asked", "got", "is_told"), [(5, None, False), (5, -1, True), (5, 7, True), (-1, 3, False)])
def test_a_limit_that_harbor_has_dropped_in_silence_is_found_out(asked: int, got: int | None, is_told: bool) -> None:
    plan = push_plan([image("a.example/x/app:1")], PushSettings())
    known = ensure_projects(plan, FakeHarbor(new_quota_bytes=got), NewProjects(quota_bytes=asked), dry_run=False)
    assert known.empty == ("x",)
    assert known.unlimited == (("x",) if is_told else ())


def test_names_that_harbor_cannot_hold_are_told_before_anything_is_made() -> None:
    harbor = FakeHarbor()
    plan = push_plan([image("a.example/my__org/app:1"), image("a.example/x/app:1")], PushSettings())
    with pytest.raises(PublishError) as caught:
        ensure_projects(plan, harbor, NewProjects(), dry_run=False)
    assert caught.value.id == ErrorId.PUSH_NAME_INVALID
    assert "my__org/app:1" in caught.value.problems[0]
    assert harbor.created == []
