"""What a robot may be called, and the file that holds its credentials."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.robot import MAX_DAYS, NEVER, MadeRobot, NewRobot, Robot, RobotLogin, client_config, held_login

HOSTS = ("master", "master:443")


@pytest.mark.parametrize(
    ("name", "projects", "days", "problem"),
    [
        ("robot$edge", ("k8s",), NEVER, "no robot named 'robot$edge'"),
        ("Edge", ("k8s",), NEVER, "no robot named 'Edge'"),
        ("a+b", ("k8s",), NEVER, "no robot named"),
        ("edge", ("k8s", "K8S"), NEVER, "no project named 'K8S'"),
        ("edge", (), NEVER, "at least one project"),
        ("edge", ("k8s",), 0, "not 0"),
        ("edge", ("k8s",), MAX_DAYS + 1, "days"),
    ],
)
def test_what_harbor_would_refuse_cannot_be_asked_for(
    name: str, projects: tuple[str, ...], days: int, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem.replace("$", r"\$")):
        NewRobot(name, projects, days)


def test_a_robot_of_one_project_belongs_to_it() -> None:
    own, several = NewRobot("edge", ("k8s", "k8s")), NewRobot("edge", ("k8s", "edge"), 30)
    assert (own.level, own.stored_name) == ("project", "k8s+edge")
    assert (several.level, several.stored_name, several.projects) == ("system", "edge", ("edge", "k8s"))


def test_docker_reads_the_file() -> None:
    config = json.loads(client_config(HOSTS, RobotLogin("robot$edge", "S3cret")))
    pair = base64.b64encode(b"robot$edge:S3cret").decode()
    assert config == {"auths": {"master": {"auth": pair}, "master:443": {"auth": pair}}}


@given(st.text(st.characters(exclude_characters=":", codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_what_was_written_is_read_back(username: str, secret: str) -> None:
    login = RobotLogin(username, secret)
    assert held_login(client_config(HOSTS, login), HOSTS) == login
    assert held_login(client_config(HOSTS, login), ("elsewhere",)) is None


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_other_file_holds_nothing_of_ours(data: bytes) -> None:
    assert held_login(data, HOSTS) is None


@pytest.mark.parametrize(
    "value",
    [
        {"auths": {}},
        {"auths": {"master": {"auth": "YTpi"}}, "credsStore": "pass"},
        {"auths": {"master": {"auth": "YTpi"}, "master:443": {"auth": "YTpj"}}},
        {"auths": {"master": {"auth": "no base64"}, "master:443": {"auth": "no base64"}}},
        {"auths": {"master": {"auth": 1}, "master:443": {"auth": 1}}},
        {"auths": ["master"]},
        ["auths"],
    ],
)
def test_files_of_others_are_not_taken_for_ours(value: object) -> None:
    assert held_login(json.dumps(value, indent=2).encode() + b"\n", HOSTS) is None


def test_secrets_are_in_no_representation() -> None:
    robot = Robot(1, "robot$edge", frozenset({"k8s"}))
    assert "S3cret" not in f"{RobotLogin('a', 'S3cret')!r}{MadeRobot(robot, 'S3cret')!r}"
