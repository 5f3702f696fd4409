"""`bundler push-images --via docker` and `auto`: a real engine pushes into real registries, and another one pulls."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bundler.errors import SourceError
from bundler.net.registry.credentials import RegistryLogin
from bundler.push.docker import DockerEngine as Engine
from bundler.push.loading import load_images
from tests.fakes.progress import RecordingProgress
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.faulty_front import faulty_front
from tests.integration.harbor_front import harbor_front
from tests.integration.mirror_program import eventually
from tests.integration.pushed_bundle import TARGETS, PushedBundle, push, push_command, skopeo_digest, small_bundle
from tests.integration.registries import htpasswd_registry, plain_registry, token_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
DOCKER = ("--via", "docker", "--platform", "linux/amd64")
PASSWORD = "s3cret"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def puller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("puller")) as running:
        yield running


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> PushedBundle:
    return small_bundle(tmp_path_factory.mktemp("bundle"), filler_bytes=200_000)


def address(engine: DockerEngine) -> str:
    return f"unix://{engine.socket}"


def names(engine: DockerEngine) -> list[str]:
    return engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()


def pulled_ids(puller: DockerEngine, host: str) -> dict[str, str]:
    """Pull everything as the edges do and return the image ids."""
    puller.docker("login", "--username", "admin", "--password", PASSWORD, host)
    for name in TARGETS:
        puller.docker("pull", "--quiet", f"{host}/{name}")
    return {
        name: puller.docker("inspect", "--format", "{{.Id}}", f"{host}/{name}").strip() for name in TARGETS
    }  # fmt: skip


def ids(bundle: PushedBundle) -> dict[str, str]:
    return {target: bundle.placed.ids[source]["linux/amd64"] for target, source in TARGETS.items()}


def test_with_passwords(tmp_path: Path, bundle: PushedBundle, engine: DockerEngine, puller: DockerEngine) -> None:
    with htpasswd_registry(tmp_path / "registry", "admin", PASSWORD) as registry:
        first = push(registry, bundle.root, *DOCKER, password=PASSWORD, engine=address(engine))
        assert first.outcomes == dict.fromkeys(TARGETS, "pushed"), first.stderr
        assert (first.code, first.answer["via"]) == (0, "docker")
        assert first.answer["sent"]["blobs"] > 0
        assert [name for name in names(engine) if registry.host in name] == []
        before = len(registry.requests())
        second = push(registry, bundle.root, *DOCKER, password=PASSWORD, engine=address(engine))
        assert second.outcomes == dict.fromkeys(TARGETS, "present")
        asked = {line.split()[0] for line in registry.requests()[before:]}
        assert asked <= {"HEAD", "GET"}
        assert pulled_ids(puller, registry.host) == ids(bundle)


def test_into_a_harbor_with_tokens(
    tmp_path: Path, bundle: PushedBundle, engine: DockerEngine, puller: DockerEngine
) -> None:
    with token_registry(tmp_path / "registry", {"admin": PASSWORD}) as registry, harbor_front(registry) as harbor:
        done = push(harbor.host, bundle.root, *DOCKER, password=PASSWORD, engine=address(engine))
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert [project["project_name"] for project in harbor.created] == ["coreos", "demo"]
        again = push(harbor.host, bundle.root, *DOCKER, password=PASSWORD, engine=address(engine))
        assert again.outcomes == dict.fromkeys(TARGETS, "present")
        assert pulled_ids(puller, harbor.host) == ids(bundle)


def test_a_project_that_cannot_be_had_leaves_the_other_images(
    tmp_path: Path, bundle: PushedBundle, engine: DockerEngine
) -> None:
    with (
        token_registry(tmp_path / "registry", {"admin": PASSWORD}) as registry,
        harbor_front(registry, creators=frozenset()) as harbor,
    ):
        done = push(harbor.host, bundle.root, *DOCKER, password=PASSWORD, engine=address(engine))
        assert done.outcomes == {"coreos/other:v2": "failed", "demo/app:1": "failed", "library/pause:3.5": "pushed"}
        assert PASSWORD not in done.stderr


def test_further_platforms_are_a_wrong_command(tmp_path: Path, bundle: PushedBundle, engine: DockerEngine) -> None:
    with plain_registry(tmp_path / "registry") as registry:
        for options in (("--via", "docker"), ("--via", "docker", "--platform", "linux/arm64")):
            done = push(registry, bundle.root, *options, engine=address(engine))
            assert done.code == 2
            assert "--platform linux/amd64" in done.stderr
            assert "--via registry" in done.stderr
        assert registry.requests() == ()


def test_without_an_engine(tmp_path: Path, bundle: PushedBundle) -> None:
    nowhere = f"unix://{tmp_path}/no.sock"
    with plain_registry(tmp_path / "registry") as registry:
        refused = push(registry, bundle.root, *DOCKER, engine=nowhere)
        assert refused.code == 9
        assert "[engine-unreachable]" in refused.stderr
        assert "systemctl start docker" in refused.stderr
        assert "--via registry" in refused.stderr
        done = push(registry, bundle.root, "--via", "auto", engine=nowhere)
        assert (done.code, done.answer["via"]) == (0, "registry")


def test_auto_is_repeatable_whether_an_engine_runs_or_not(
    tmp_path: Path, bundle: PushedBundle, engine: DockerEngine
) -> None:
    with plain_registry(tmp_path / "registry") as registry:
        first = push(registry, bundle.root, "--via", "auto", "--only", "*pause*", engine=address(engine))
        assert (first.code, first.answer["via"]) == (0, "registry"), first.stderr
        assert first.stderr.startswith("pushing straight to the registry")
        assert skopeo_digest(registry, "library/pause:3.5") == bundle.digests["library/pause:3.5"]
        again = push(registry, bundle.root, "--via", "auto", "--only", "*pause*", engine="unix:///nowhere")
        assert again.outcomes == {"library/pause:3.5": "present"}, again.stderr


def test_what_an_engine_has_packed_is_present_afterwards_and_told_as_such(
    tmp_path: Path, bundle: PushedBundle, engine: DockerEngine
) -> None:
    with plain_registry(tmp_path / "registry") as registry:
        packed = push(registry, bundle.root, *DOCKER, "--only", "*pause*", engine=address(engine))
        assert packed.outcomes == {"library/pause:3.5": "pushed"}, packed.stderr
        other = skopeo_digest(registry, "library/pause:3.5")
        assert other != bundle.digests["library/pause:3.5"]
        for via in ("auto", "docker"):
            again = push(registry, bundle.root, "--via", via, "--only", "*pause*", engine=address(engine))
            assert again.outcomes == {"library/pause:3.5": "present"}, again.stderr
            assert [image["packed"] for image in again.answer["images"]] == [other]


def test_a_damaged_image_is_neither_loaded_nor_pushed(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "made", content=b"to be damaged")
    pause = next(artifact for artifact in bundle.placed.artifacts if "pause" in artifact.key)
    blob = bundle.root / "k8simage" / "blobs" / "sha256" / pause.images[0].layers[-1].digest.hex
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with docker_engine(tmp_path / "engine") as engine, plain_registry(tmp_path / "registry") as registry:
        done = push(registry, bundle.root, *DOCKER, engine=address(engine))
        assert done.code == 5
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed") | {"library/pause:3.5": "failed"}
        assert not any("pause" in name for name in names(engine))


@pytest.mark.parametrize(
    ("fault", "want", "retryable"),
    [
        ("nobody listens", "source-unreachable", True),
        ("unknown host", "source-unreachable", True),
        ("may only pull", "source-unauthorized", False),
        ("no token service", "source-unreachable", True),
    ],
)
def test_a_real_engines_refusals_are_taken_for_what_they_are(
    fault: str, want: str, retryable: bool, tmp_path: Path, bundle: PushedBundle, engine: DockerEngine
) -> None:
    with (
        token_registry(tmp_path / "registry", {"admin": PASSWORD}) as registry,
        Engine({"DOCKER_HOST": address(engine)}) as client,
    ):
        assert registry.tokens is not None
        registry.tokens.robots["robot"] = (PASSWORD, frozenset({"demo"}))
        hosts = {"nobody listens": "127.0.0.1:1", "unknown host": "nowhere.invalid"}
        login = RegistryLogin("robot" if fault == "may only pull" else "admin", PASSWORD, "a test")
        repository = f"{hosts.get(fault, registry.host)}/demo/app"
        load_one(engine, bundle, "demo/app:1")
        client.tag(bundle.placed.ids[TARGETS["demo/app:1"]]["linux/amd64"], repository, "1")
        if fault == "no token service":
            registry.tokens.stop()
        with pytest.raises(SourceError) as caught:
            client.push(repository, "1", login, lambda _: None)
        client.untag(f"{repository}:1")
    assert (str(caught.value.id), caught.value.retryable) == (want, retryable), caught.value.what
    elsewhere = urlsplit(registry.tokens.realm).netloc in caught.value.where
    assert elsewhere is (fault == "no token service"), caught.value.what
    assert PASSWORD not in str(caught.value)


def test_a_tag_that_stands_for_another_image(tmp_path: Path, bundle: PushedBundle, engine: DockerEngine) -> None:
    new = small_bundle(tmp_path / "new", content=b"new")
    app = "demo/app:1"
    with plain_registry(tmp_path / "registry") as registry:
        assert push(registry, bundle.root, "--via", "registry", "--platform", "linux/amd64").code == 0
        before = skopeo_digest(registry, app)
        for existing, code, outcome in (("fail", 7, "failed"), ("skip", 0, "skipped"), ("overwrite", 0, "pushed")):
            done = push(
                registry, new.root, *DOCKER, "--only", "*app*", "--on-existing-tag", existing, engine=address(engine)
            )
            (image,) = done.answer["images"]
            assert (done.code, image["outcome"], image["before"]) == (code, outcome, before), done.stderr
            assert (skopeo_digest(registry, app) == before) is (existing != "overwrite")
        engine.docker("pull", "--quiet", f"{registry.host}/{app}")
        held = engine.docker("inspect", "--format", "{{.Id}}", f"{registry.host}/{app}").strip()
        assert held == new.placed.ids[TARGETS[app]]["linux/amd64"]


def test_names_that_the_engine_had_are_what_they_were(
    tmp_path: Path, bundle: PushedBundle, engine: DockerEngine
) -> None:
    with plain_registry(tmp_path / "registry") as registry:
        load_one(engine, bundle, "coreos/other:v2")
        mine = f"{registry.host}/demo/app:1"
        engine.docker("tag", TARGETS["coreos/other:v2"], mine)
        before = engine.docker("inspect", "--format", "{{.Id}}", mine)
        done = push(registry, bundle.root, *DOCKER, engine=address(engine))
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
        assert [name for name in names(engine) if registry.host in name] == [mine]
        assert engine.docker("inspect", "--format", "{{.Id}}", mine) == before
        engine.docker("rmi", mine)


def test_a_name_of_the_bundle_that_somebody_gave_to_another_image(
    tmp_path: Path, bundle: PushedBundle, engine: DockerEngine
) -> None:
    app, other = TARGETS["demo/app:1"], TARGETS["coreos/other:v2"]
    with plain_registry(tmp_path / "registry") as registry:
        load_one(engine, bundle, "coreos/other:v2")
        engine.docker("tag", other, app)
        done = push(registry, bundle.root, *DOCKER, "--only", "*app*", engine=address(engine))
        assert done.outcomes == {"demo/app:1": "pushed"}, done.stderr
        wanted = ids(bundle)["demo/app:1"]
        assert engine.docker("inspect", "--format", "{{.Id}}", app).strip() == wanted
        engine.docker("pull", "--quiet", f"{registry.host}/demo/app:1")
        assert engine.docker("inspect", "--format", "{{.Id}}", f"{registry.host}/demo/app:1").strip() == wanted


def test_a_registry_that_is_restarted_in_mid_push(tmp_path: Path, engine: DockerEngine) -> None:
    large = small_bundle(tmp_path, filler_bytes=8 * 1024 * 1024, content=b"restarted")
    with ExitStack() as first:
        registry = first.enter_context(plain_registry(tmp_path / "registry"))
        running = subprocess.Popen(
            push_command(registry.host, large.root, *DOCKER, "--json"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "HOME": str(tmp_path), "DOCKER_HOST": address(engine)},
        )  # fmt: skip
        eventually(lambda: any(line.startswith("POST") for line in registry.requests()), "a layer is on its way")
        first.close()
        with plain_registry(tmp_path / "registry", address=registry.host):
            said, complaints = running.communicate(timeout=120)
            assert running.returncode == 0, complaints
            assert {image["outcome"] for image in json.loads(said)["images"]} == {"pushed"}
            for name, wanted in ids(large).items():
                engine.docker("pull", "--quiet", f"{registry.host}/{name}")
                assert engine.docker("inspect", "--format", "{{.Id}}", f"{registry.host}/{name}").strip() == wanted
    engine.emptied()


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_push_leaves_the_engines_names_and_is_completed_by_another_run(
    tmp_path: Path, engine: DockerEngine, signal_: signal.Signals
) -> None:
    large = small_bundle(tmp_path, filler_bytes=8 * 1024 * 1024, content=str(signal_).encode())
    with plain_registry(tmp_path / "registry") as registry, faulty_front(registry.host, pause_s=0.02) as slow:
        running = subprocess.Popen(
            push_command(slow.host, large.root, *DOCKER, "--json"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "HOME": str(tmp_path), "DOCKER_HOST": address(engine)},
        )  # fmt: skip
        # the engine is about to send a layer, slowly
        eventually(lambda: slow.count("POST /v2/") > 0, "a layer is on its way")
        running.send_signal(signal_)
        said, complaints = running.communicate(timeout=60)
        code, error_id = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}[signal_]
        assert (running.returncode, json.loads(said)["id"]) == (code, error_id), complaints
        assert [name for name in names(engine) if slow.host in name] == []
        done = push(registry, large.root, *DOCKER, engine=address(engine))
        assert done.outcomes == dict.fromkeys(TARGETS, "pushed"), done.stderr
    engine.emptied()


def load_one(engine: DockerEngine, bundle: PushedBundle, target: str) -> None:
    """Have the engine hold one image of the bundle."""
    with Engine({"DOCKER_HOST": address(engine)}) as client:
        load_images(bundle.root, client, RecordingProgress(), only=[TARGETS[target]])
