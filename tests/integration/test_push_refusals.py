"""What a Harbor refuses to who was let in: told in its own words, with their own remedy, and once for all images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harbor_front import harbor_front
from tests.integration.pushed_bundle import Done, push, small_bundle
from tests.integration.registries import token_registry
from tests.integration.test_robot import create

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
USERS = {"admin": "s3cret"}
ALL = {"coreos", "demo", "library"}
ABOUT_LOGINS = ("wants credentials", "refuses the credentials")


def refused(tmp_path: Path, **settings: Any) -> Done:
    """Push three images into a Harbor; nothing of the login may be blamed."""
    bundle = small_bundle(tmp_path)
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry, **{"projects": set(ALL), **settings}) as harbor,
    ):
        done = push(harbor.host, bundle.root, password="s3cret")
    assert done.code == 7, done.stderr
    assert not [words for words in ABOUT_LOGINS if words in done.stderr]
    assert "s3cret" not in done.stderr
    return done


def errors(done: Done) -> list[dict[str, Any]]:
    return [image["error"] for image in done.answer["images"] if "error" in image]


def test_read_only_mode(tmp_path: Path) -> None:
    done = refused(tmp_path, read_only=True)
    assert "DENIED: The system is in read only mode. Any modification is prohibited." in done.stderr
    assert "wait for that to end, or end the mode" in done.stderr
    assert "docker login" not in done.stderr
    assert {(error["id"], error["status"], error["code"]) for error in errors(done)} == {
        ("push-refused", 403, "DENIED")
    }
    # three images, one cause
    assert done.stderr.count("DENIED") == 1
    assert "and the same of 2 more" in done.stderr


def test_read_only_mode_where_projects_are_missing(tmp_path: Path) -> None:
    done = refused(tmp_path, read_only=True, projects={"library"})
    assert {error["id"] for error in errors(done)} == {"push-project-refused", "push-refused"}
    for error in errors(done):
        assert "read only mode" in error["message"]
        assert "wait for that to end, or end the mode" in error["remedy"]


def test_a_quota(tmp_path: Path) -> None:
    done = refused(tmp_path, limits=dict.fromkeys(ALL, 10))
    assert "DENIED: adding " in done.stderr
    assert "will exceed the configured upper limit of 0.0 KiB" in done.stderr
    assert "Raise the project's quota" in done.stderr
    # each image needs another amount, and the cause is the same
    assert "and the same of 2 more" in done.stderr


def test_an_immutable_tag(tmp_path: Path) -> None:
    done = refused(tmp_path, fixed=frozenset({"demo/app:1"}))
    (error,) = errors(done)
    assert (error["id"], error["status"], error["code"]) == ("push-refused", 412, "PRECONDITION")
    assert "configured as immutable" in done.stderr
    assert "change the project's tag rules" in done.stderr


def test_no_right_in_a_project(tmp_path: Path) -> None:
    done = refused(tmp_path, rights={"admin": frozenset({"library"})})
    assert done.outcomes == {"coreos/other:v2": "failed", "demo/app:1": "failed", "library/pause:3.5": "pushed"}
    for error in errors(done):
        assert (error["id"], error["status"], error["code"]) == ("push-unauthorized", 401, "UNAUTHORIZED")
    assert "unauthorized to access repository: coreos/other, action: pull" in done.stderr
    assert "Give the account a role in this project that may push" in done.stderr
    assert "and the same of 1 more" in done.stderr


def test_an_account_that_may_create_a_project_and_not_push_into_it(tmp_path: Path) -> None:
    # a robot of the system, seen with 2.5.0
    done = refused(tmp_path, projects={"library"}, rights={"admin": frozenset({"library"})})
    assert done.outcomes == {"coreos/other:v2": "failed", "demo/app:1": "failed", "library/pause:3.5": "pushed"}
    assert "unauthorized to access repository: coreos/other" in done.stderr
    assert "this account could create the project 'coreos', and may not push into it" in done.stderr
    assert "A robot has its rights project by project" in done.stderr


def test_a_robot_in_read_only_mode(tmp_path: Path) -> None:
    with (
        token_registry(tmp_path / "registry", USERS) as registry,
        harbor_front(registry, read_only=True) as harbor,
    ):
        done = create(harbor.host, tmp_path / "edge.json", "--project", "library")
    assert done.code == 7
    assert "The system is in read only mode" in done.stderr
    assert "wait for that to end, or end the mode" in done.stderr


def test_a_robot_whose_days_are_more_than_the_calendar_has(tmp_path: Path) -> None:
    with token_registry(tmp_path / "registry", USERS) as registry, harbor_front(registry) as harbor:
        options = ("--project", "library", "--days", str(2**31 - 2))
        made = create(harbor.host, tmp_path / "edge.json", *options, json_answer=False)
        assert (made.code, "Traceback" in made.stderr) == (0, False), made.stderr
        assert "expires after the year 9999" in made.stdout
        again = create(harbor.host, tmp_path / "edge.json", *options)
        assert again.answer["outcome"] == "present"


def test_capital_letters_are_named_as_what_is_wrong_with_a_projects_name(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path)
    done = push("127.0.0.1:1", bundle.root, "--project", "Bad")
    assert done.code == 2
    assert "no project named 'Bad', for it has capital letters: write 'bad'" in done.stderr
