"""A robot and its file: both or neither. The API itself is in tests/integration/test_robot.py."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, PublishError, StorageError
from bundler.model.robot import MadeRobot, NewRobot, Robot, RobotLogin, held_login
from bundler.push.robots import RobotRequest, ensure_robot
from tests.fakes.harbor import FakeHarbor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTS = ("master", "master:443")


@dataclass
class FakeRobots:
    """Robots in memory; `on_create` is done once one is made."""

    known: dict[str, Robot] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    on_create: Callable[[], None] = lambda: None
    removed: list[str] = field(default_factory=list)
    removal_fails: bool = False

    def find(self, wanted: NewRobot) -> Robot | None:
        return self.known.get(f"robot${wanted.stored_name}")

    def create(self, wanted: NewRobot) -> MadeRobot:
        robot = Robot(1, f"robot${wanted.stored_name}", frozenset(wanted.projects))
        self.known[robot.name] = robot
        self.on_create()
        return self.renew(robot)

    def renew(self, robot: Robot) -> MadeRobot:
        self.secrets[robot.name] = f"secret {len(self.secrets)}"
        return MadeRobot(robot, self.secrets[robot.name])

    def remove(self, robot: Robot) -> None:
        if self.removal_fails:
            raise PublishError(ErrorId.PUSH_UNREACHABLE, "gone", remedy="")
        self.removed.append(robot.name)
        del self.known[robot.name]

    def accepts(self, login: RobotLogin) -> bool:
        return self.secrets.get(login.username) == login.secret


def request(
    robots: FakeRobots, file: Path, *, renew: bool = False, projects: tuple[str, ...] = ("k8s",)
) -> RobotRequest:
    return RobotRequest(NewRobot("edge", projects), "master", HOSTS, file, renew, robots.accepts)


def harbor() -> FakeHarbor:
    return FakeHarbor(projects={"k8s": True, "edge": True})


@pytest.mark.parametrize("removal_fails", [False, True])
def test_a_robot_whose_secret_could_not_be_kept_is_removed_again(tmp_path: Path, removal_fails: bool) -> None:
    file = tmp_path / "edge.json"
    # the file's name is taken by a directory in the very moment
    robots = FakeRobots(on_create=lambda: (file / "in the way").mkdir(parents=True), removal_fails=removal_fails)
    with pytest.raises(StorageError) as caught:
        ensure_robot(request(robots, file), harbor(), robots)
    assert str(file) in caught.value.summary()
    assert robots.removed == ([] if removal_fails else ["robot$k8s+edge"])
    assert [path.name for path in tmp_path.iterdir()] == ["edge.json"]


def test_a_file_that_was_made_before_the_registry_had_tls_is_brought_up_to_date(tmp_path: Path) -> None:
    file, robots = tmp_path / "edge.json", FakeRobots()
    plain = ("master", "master:80")
    ensure_robot(replace(request(robots, file), hosts=plain, earlier=(HOSTS,)), harbor(), robots)
    first = held_login(file.read_bytes(), plain)
    now = replace(request(robots, file), earlier=(plain,))
    assert ensure_robot(now, harbor(), robots, dry_run=True).outcome == "present"
    assert held_login(file.read_bytes(), plain) == first
    assert ensure_robot(now, harbor(), robots).outcome == "present"
    assert held_login(file.read_bytes(), HOSTS) == first
    assert len(robots.secrets) == 1


def test_an_interruption_leaves_no_file(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    robots = FakeRobots(on_create=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ensure_robot(request(robots, tmp_path / "edge.json"), harbor(), robots)
    assert list(tmp_path.iterdir()) == []


def test_a_renewed_robot_is_never_removed(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    robots = FakeRobots()
    ensure_robot(request(robots, file), harbor(), robots)
    first = file.read_bytes()
    report = ensure_robot(request(robots, file, renew=True), harbor(), robots)
    assert (report.outcome, robots.removed) == ("renewed", [])
    assert file.read_bytes() != first
    held = held_login(file.read_bytes(), HOSTS)
    assert held is not None
    assert robots.accepts(held)


@pytest.mark.parametrize("state", ["disabled", "fewer projects"])
def test_a_robot_that_would_not_serve_is_not_called_present(tmp_path: Path, state: str) -> None:
    file = tmp_path / "edge.json"
    robots = FakeRobots()
    asked = request(robots, file, projects=("k8s", "edge"))
    ensure_robot(asked, harbor(), robots)
    kept = robots.known["robot$edge"]
    projects = kept.projects if state == "disabled" else frozenset({"k8s"})
    robots.known[kept.name] = Robot(kept.id, kept.name, projects, disabled=state == "disabled")
    with pytest.raises(PublishError) as caught:
        ensure_robot(asked, harbor(), robots)
    assert caught.value.id == ErrorId.ROBOT_EXISTS
    assert ("is disabled" if state == "disabled" else "may pull from k8s") in caught.value.what


def test_a_file_with_an_old_secret_is_not_called_present(tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    robots = FakeRobots()
    ensure_robot(request(robots, file), harbor(), robots)
    robots.renew(robots.known["robot$k8s+edge"])
    with pytest.raises(PublishError) as caught:
        ensure_robot(request(robots, file), harbor(), robots)
    assert caught.value.id == ErrorId.ROBOT_EXISTS
    assert ensure_robot(request(robots, file, renew=True), harbor(), robots).outcome == "renewed"
