"""The whole way of an image into Harbor: the demo's bundle, pushed both ways and by its script, and pulled back."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.air_gap import MASTER, AirGap, air_gap
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.harbor_front import harbor_front
from tests.integration.pushed_bundle import Done, push, push_command, skopeo_copy, skopeo_digest
from tests.integration.registries import Registry, plain_registry, token_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.demo_run import Demo
    from tests.integration.harbor_api import HarborFront

pytestmark = pytest.mark.xdist_group("demo")
PASSWORD = "s3cret"
PRIMARY = "linux/amd64"
SCRIPT_WITHIN_S = 120
# what an operator types, and what belongs to it
STRAIGHT, BY_ENGINE = ("--via", "registry"), ("--via", "docker", "--platform", PRIMARY)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with token_registry(tmp_path / "registry", {"admin": PASSWORD}) as running:
        yield running


@pytest.fixture
def harbor(registry: Registry) -> Iterator[HarborFront]:
    with harbor_front(registry) as running:
        yield running


def pushed(harbor: HarborFront, demo: Demo, engine: DockerEngine, *options: str) -> Done:
    return push(harbor.host, demo.unpacked, *options, password=PASSWORD, engine=f"unix://{engine.socket}")


def targets(demo: Demo) -> dict[str, dict[str, Any]]:
    """Return the images of the lock by every name that the site is to know them by."""
    return {
        name.partition("/")[2]: image for image in demo.images for name in (image["reference"], *image["as"])
    }  # fmt: skip


def config_of(image: dict[str, Any]) -> str:
    (config,) = (one["config"]["digest"] for one in image["manifests"] if one["platform"] == PRIMARY)
    return str(config)


def pulled(engine: DockerEngine, harbor: HarborFront, name: str) -> dict[str, Any]:
    """Pull as an edge node does and return what the engine has then."""
    engine.docker("login", "--username", "admin", "--password", PASSWORD, harbor.host)
    engine.docker("pull", "--quiet", f"{harbor.host}/{name}")
    found: dict[str, Any] = json.loads(engine.docker("inspect", f"{harbor.host}/{name}"))[0]
    return found


def test_straight_from_the_bundle(
    demo: Demo, registry: Registry, harbor: HarborFront, engine: DockerEngine, tmp_path: Path
) -> None:
    wanted = targets(demo)
    first = pushed(harbor, demo, engine, *STRAIGHT)
    assert (first.code, first.answer["via"]) == (0, "registry"), first.stderr
    assert first.outcomes == dict.fromkeys(wanted, "pushed")
    assert first.answer["projects_created"] == ["demo", "kubeedge"]
    before = len(registry.requests())
    second = pushed(harbor, demo, engine, *STRAIGHT)
    assert second.outcomes == dict.fromkeys(wanted, "present")
    assert {line.split()[0] for line in registry.requests()[before:] if "/v2/ " not in line} == {"HEAD"}
    engine.emptied()
    for number, (name, image) in enumerate(wanted.items()):
        assert skopeo_digest(registry, name) == image["digest"]
        skopeo_copy(registry, name, tmp_path / str(number))
        held = pulled(engine, harbor, name)
        assert held["Id"] == config_of(image)
        assert f"{harbor.host}/{name.partition(':')[0]}@{image['digest']}" in held["RepoDigests"]


def test_through_the_engine(
    demo: Demo, registry: Registry, harbor: HarborFront, engine: DockerEngine, tmp_path: Path
) -> None:
    wanted = targets(demo)
    engine.emptied()
    first = pushed(harbor, demo, engine, *BY_ENGINE)
    assert (first.code, first.answer["via"]) == (0, "docker"), first.stderr
    assert first.outcomes == dict.fromkeys(wanted, "pushed")
    assert first.answer["projects_created"] == ["demo", "kubeedge"]
    before = len(registry.requests())
    second = pushed(harbor, demo, engine, *BY_ENGINE)
    assert second.outcomes == dict.fromkeys(wanted, "present")
    assert {line.split()[0] for line in registry.requests()[before:]} <= {"HEAD", "GET"}
    engine.emptied()
    for number, (name, image) in enumerate(wanted.items()):
        skopeo_copy(registry, name, tmp_path / str(number))
        manifest = json.loads((tmp_path / str(number) / "manifest.json").read_text())
        assert manifest["config"]["digest"] == config_of(image)
        assert pulled(engine, harbor, name)["Id"] == config_of(image)


@pytest.mark.parametrize("project", ["", "edge"])
def test_the_script_gives_the_same_names_and_images(
    demo: Demo, registry: Registry, harbor: HarborFront, engine: DockerEngine, project: str
) -> None:
    options = ("--project", project) if project else ()
    plan = pushed(harbor, demo, engine, *BY_ENGINE, "--dry-run", *options).answer
    assert len(plan["images"]) >= len(demo.images)
    engine.emptied()
    engine.docker("login", "--username", "admin", "--password", PASSWORD, harbor.host)
    script = ["sh", str(demo.unpacked / "k8simage" / "push.sh"), harbor.host, *([project] if project else [])]
    api = {"HARBOR_URL": f"http://{harbor.host}", "HARBOR_USER": "admin", "HARBOR_PASSWORD": PASSWORD}
    done = subprocess.run(
        script, env=engine.environment | api, capture_output=True, text=True, check=False, timeout=SCRIPT_WITHIN_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {made["project_name"]: made["metadata"]["public"] for made in harbor.created} == dict.fromkeys(
        plan["projects_missing"], "true"
    )
    # the registry has just these names, and behind each of them what the command would have put there
    after = pushed(harbor, demo, engine, *BY_ENGINE, *options)
    assert after.outcomes == {image["target"]: "present" for image in plan["images"]}
    listed = [line.split() for line in registry.requests() if line.startswith("PUT") and "/manifests/" in line]
    put = {path.removeprefix("/v2/").replace("/manifests/", ":") for _, path, status in listed if status == "201"}
    assert put == set(after.outcomes)


def test_to_a_host_whose_name_is_one_word(demo: Demo, tmp_path: Path) -> None:
    # to an engine `master/library/pause` is a repository of docker.io
    with (
        air_gap() as gap,
        plain_registry(tmp_path / "registry", address=f"{MASTER}:80", runner=gap.on_master),
        docker_engine(
            tmp_path / "engine", runner=gap.on_edge_with_cgroups, options=("--insecure-registry=master:80",)
        ) as engine,
    ):
        said = pushed_to_master(gap, engine, demo, *BY_ENGINE)
        assert said.count('"outcome": "pushed"') == len(targets(demo)), said
        catalog = json.loads(gap.edge("curl", "-fsS", "http://master/v2/_catalog"))
        assert set(catalog["repositories"]) == {name.partition(":")[0] for name in targets(demo)}
        engine.emptied()
        for name, image in targets(demo).items():
            engine.docker("pull", "--quiet", f"master:80/{name}")
            assert engine.docker("inspect", "--format", "{{.Id}}", f"master:80/{name}").strip() == config_of(image)


def test_an_engine_that_would_insist_on_tls_loads_nothing(demo: Demo, tmp_path: Path) -> None:
    with (
        air_gap() as gap,
        plain_registry(tmp_path / "registry", address=f"{MASTER}:80", runner=gap.on_master) as registry,
        docker_engine(tmp_path / "engine", runner=gap.on_edge_with_cgroups) as engine,
    ):
        said = pushed_to_master(gap, engine, demo, *BY_ENGINE, code=9)
        assert "[engine-wants-tls]" in said
        assert '"master:80" to "insecure-registries"' in said
        assert engine.docker("images", "-q") == ""
        assert not [line for line in registry.requests() if line.startswith(("POST", "PUT"))]
        secure = gap.edge(*push_command("master:80", demo.unpacked, *STRAIGHT), code=7)
        assert "[push-scheme]" in secure
        assert "with --plain-http" in secure
        straight = pushed_to_master(gap, engine, demo, "--via", "auto", "--platform", PRIMARY)
        assert "pushing straight to the registry" in straight
        assert straight.count('"outcome": "pushed"') == len(targets(demo))


def pushed_to_master(gap: AirGap, engine: DockerEngine, demo: Demo, *options: str, code: int = 0) -> str:
    """Push from the edge over plain HTTP and return what was said."""
    command = push_command("master", demo.unpacked, *options, "--plain-http", "--json")
    return gap.edge("env", f"DOCKER_HOST=unix://{engine.socket}", *command, code=code)
