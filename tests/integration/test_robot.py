"""`bundler robot create` against what a Harbor is, and real clients that pull with the file it writes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.docker_engine import docker_engine
from tests.integration.harbor_front import harbor_front
from tests.integration.images import make_image
from tests.integration.registries import Registry, plain_registry, token_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.harbor_api import HarborFront

pytestmark = pytest.mark.integration
PASSWORD = "s3cret"
WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Done:
    """A run of the command that has ended; `answer` is {} where it gave none."""

    code: int
    answer: dict[str, Any]
    stdout: str
    stderr: str


def create(host: str, file: Path, *options: str, password: str = PASSWORD, json_answer: bool = True) -> Done:
    """Run the command with a umask that would let everybody read."""
    program = str(Path(sys.executable).with_name("bundler"))
    login = ("--username", "admin", "--password-stdin", *(("--json",) if json_answer else ()))
    done = subprocess.run(
        [program, "robot", "create", "--registry", host, "-o", str(file), *options, *login],
        input=password, capture_output=True, text=True, timeout=WITHIN_S, check=False, umask=0,
        env={**os.environ, "HOME": str(file.parent)},
    )  # fmt: skip
    answer = json.loads(done.stdout) if done.stdout and json_answer else {}
    return Done(done.returncode, answer, done.stdout, done.stderr)


def skopeo(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run skopeo with the credentials of a file."""
    command = ["skopeo", "--insecure-policy", *arguments]
    environment = {**os.environ, "REGISTRY_AUTH_FILE": str(file)}
    return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False, env=environment)


def pulls(harbor: HarborFront, file: Path, name: str) -> bool:
    done = skopeo(file, "inspect", "--raw", "--tls-verify=false", f"docker://{harbor.host}/{name}")
    return done.returncode == 0


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry with an image in each of three projects, which nobody may pull without a login."""
    make_image(tmp_path / "layout", "app:1")
    with token_registry(tmp_path / "registry", {"admin": PASSWORD}) as running:
        for project in ("k8s", "edge", "secret"):
            running.fill(tmp_path / "layout", "app:1", f"{project}/app:1")
        yield running


@pytest.fixture(params=["2.5.0", "2.12.4"])
def harbor(registry: Registry, request: pytest.FixtureRequest) -> Iterator[HarborFront]:
    with harbor_front(registry, projects={"k8s", "edge", "secret"}, version=request.param) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edge.json"


def test_it_pulls_from_its_projects_and_does_nothing_else(harbor: HarborFront, file: Path, tmp_path: Path) -> None:
    done = create(harbor.host, file, "--project", "k8s", "--project", "edge")
    assert (done.code, done.answer["outcome"], done.answer["name"]) == (0, "made", "robot$edge-pull"), done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert harbor.robots.wanted == [
        {
            "name": "edge-pull",
            "description": "pulls images for edge nodes",
            "duration": -1,
            "level": "system",
            "disable": False,
            "permissions": [
                {"kind": "project", "namespace": name, "access": [{"resource": "repository", "action": "pull"}]}
                for name in ("edge", "k8s")
            ],
        }
    ]
    assert [pulls(harbor, file, f"{name}/app:1") for name in ("k8s", "edge", "secret")] == [True, True, False]
    pushed = skopeo(
        file, "copy", "--dest-tls-verify=false", f"oci:{tmp_path / 'layout'}:app:1", f"docker://{harbor.host}/k8s/app:2"
    )
    assert pushed.returncode != 0
    assert "denied" in pushed.stderr.lower() or "unauthorized" in pushed.stderr.lower()


def test_docker_pulls_with_the_file_as_its_own(harbor: HarborFront, file: Path, tmp_path: Path) -> None:
    create(harbor.host, file, "--project", "k8s")
    with docker_engine(tmp_path / "engine") as engine:
        settings = engine.directory / "config"
        settings.mkdir()
        (settings / "config.json").write_bytes(file.read_bytes())
        engine.docker("pull", "--quiet", f"{harbor.host}/k8s/app:1")
        with pytest.raises(AssertionError, match=r"denied|unauthorized"):
            engine.docker("pull", "--quiet", f"{harbor.host}/secret/app:1")


def test_its_secret_is_in_the_file_alone(harbor: HarborFront, file: Path) -> None:
    done = create(harbor.host, file, "--project", "k8s", json_answer=False)
    assert harbor.registry.tokens is not None
    ((secret, _),) = harbor.registry.tokens.robots.values()
    assert secret not in done.stdout + done.stderr
    assert "robot$k8s+edge-pull: made; pulls from k8s; never expires" in done.stdout
    assert str(file) in done.stdout
    assert sorted(path.name for path in file.parent.iterdir()) == ["edge.json", "layout", "registry"]


def test_a_robot_of_one_project_is_the_projects_own_and_ends(harbor: HarborFront, file: Path) -> None:
    done = create(harbor.host, file, "--project", "k8s", "--days", "30", "--name", "nodes")
    assert done.answer["name"] == "robot$k8s+nodes"
    assert done.answer["expires_at"] > 0
    assert [wanted["level"] for wanted in harbor.robots.wanted] == ["project"]
    assert pulls(harbor, file, "k8s/app:1")


@pytest.mark.parametrize("projects", [("k8s",), ("k8s", "edge")])
def test_a_second_run_finds_it_there(harbor: HarborFront, file: Path, projects: tuple[str, ...]) -> None:
    asked = [word for project in projects for word in ("--project", project)]
    create(harbor.host, file, *asked)
    written = file.read_bytes()
    again = create(harbor.host, file, *asked)
    assert (again.code, again.answer["outcome"]) == (0, "present"), again.stderr
    assert file.read_bytes() == written
    assert len(harbor.robots.wanted) == 1


def test_the_robot_of_one_project_is_found_by_a_dry_run_and_renewed_in_place(harbor: HarborFront, file: Path) -> None:
    create(harbor.host, file, "--project", "k8s")
    looked = create(harbor.host, file, "--project", "k8s", "--dry-run")
    assert (looked.answer["outcome"], looked.answer["name"]) == ("present", "robot$k8s+edge-pull"), looked.stderr
    written = file.read_bytes()
    renewed = create(harbor.host, file, "--project", "k8s", "--renew")
    assert (renewed.code, renewed.answer["outcome"]) == (0, "renewed"), renewed.stderr
    assert file.read_bytes() != written
    assert pulls(harbor, file, "k8s/app:1")
    assert len(harbor.robots.wanted) == 1


def test_a_lost_file_is_made_anew_only_on_request(harbor: HarborFront, file: Path) -> None:
    create(harbor.host, file, "--project", "k8s")
    file.rename(file.with_name("elsewhere.json"))
    again = create(harbor.host, file, "--project", "k8s")
    assert (again.code, file.exists()) == (7, False)
    assert "[robot-exists]" in again.stderr
    assert "--renew" in again.stderr
    renewed = create(harbor.host, file, "--project", "k8s", "--renew")
    assert (renewed.code, renewed.answer["outcome"]) == (0, "renewed"), renewed.stderr
    assert pulls(harbor, file, "k8s/app:1")
    assert not pulls(harbor, file.with_name("elsewhere.json"), "k8s/app:1")


def test_a_robot_with_fewer_rights_is_left_alone(harbor: HarborFront, file: Path) -> None:
    create(harbor.host, file, "--project", "k8s", "--project", "edge")
    other = file.with_name("other.json")
    for more in ((), ("--renew",)):
        wider = create(harbor.host, other, "--project", "k8s", "--project", "secret", *more)
        assert (wider.code, other.exists()) == (7, False)
        assert "may pull from edge, k8s" in wider.stderr
    assert pulls(harbor, file, "k8s/app:1")


def test_files_that_are_something_else_are_kept(harbor: HarborFront, file: Path) -> None:
    for content in (b"", b"precious", b'{"auths": {"elsewhere": {"auth": "YTpi"}}}'):
        file.write_bytes(content)
        done = create(harbor.host, file, "--project", "k8s", "--renew")
        assert (done.code, file.read_bytes()) == (7, content)
        assert "[robot-file-taken]" in done.stderr
    file.unlink()
    create(harbor.host, file, "--project", "k8s")
    held = file.read_bytes()
    done = create(harbor.host, file, "--project", "edge")
    assert (done.code, file.read_bytes()) == (7, held)
    assert "'robot$k8s+edge-pull', which still serve" in done.stderr
    assert len(harbor.robots.known) == 1


def test_a_file_whose_robot_is_gone_is_replaced(harbor: HarborFront, file: Path) -> None:
    create(harbor.host, file, "--project", "k8s")
    harbor.robots.known.clear()
    assert harbor.registry.tokens is not None
    harbor.registry.tokens.robots.clear()
    done = create(harbor.host, file, "--project", "k8s")
    assert (done.code, done.answer["outcome"]) == (0, "made"), done.stderr
    assert pulls(harbor, file, "k8s/app:1")


def test_no_robot_is_made_without_a_place_for_its_secret(harbor: HarborFront, file: Path) -> None:
    done = create(harbor.host, file / "missing" / "edge.json", "--project", "k8s")
    assert done.code == 11
    assert "edge.json" in done.stderr
    assert harbor.robots.wanted == []


def test_a_dry_run_makes_nothing(harbor: HarborFront, file: Path) -> None:
    done = create(harbor.host, file, "--project", "k8s", "--dry-run")
    assert (done.code, done.answer["outcome"], file.exists()) == (0, "missing", False)
    assert harbor.robots.wanted == []


def test_missing_projects_are_told_together(harbor: HarborFront, file: Path) -> None:
    done = create(harbor.host, file, "--project", "k8s", "--project", "nowhere", "--project", "never")
    assert done.code == 7
    assert "never, nowhere" in done.stderr
    assert "[robot-no-project]" in done.stderr


def test_who_may_make_none_is_told_who_may(registry: Registry, file: Path) -> None:
    with harbor_front(registry, projects={"k8s"}, admins=frozenset()) as harbor:
        done = create(harbor.host, file, "--project", "k8s")
    assert (done.code, file.exists()) == (7, False)
    assert "[robot-refused]" in done.stderr
    assert "FORBIDDEN" in done.stderr


def test_a_wrong_password(harbor: HarborFront, file: Path) -> None:
    done = create(harbor.host, file, "--project", "k8s", password="wrong")
    assert (done.code, file.exists()) == (7, False)
    assert "[push-unauthorized]" in done.stderr


def test_another_registry_has_no_robots(file: Path, tmp_path: Path) -> None:
    with plain_registry(tmp_path / "plain") as registry:
        done = create(registry.host, file, "--project", "k8s")
    assert done.code == 7
    assert "[robot-no-harbor]" in done.stderr


@pytest.mark.parametrize("options", [("--project", "Not A Name"), ("--project", "k8s", "--name", "robot$x"), ()])
def test_names_that_harbor_has_not(harbor: HarborFront, file: Path, options: tuple[str, ...]) -> None:
    assert create(harbor.host, file, *options).code == 2
    assert harbor.requests == []
