"""The mirror's registry and those who run what it gives them: dockerd 20.10, and containerd by `ctr`."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.integration.containerd_engine import Containerd, containerd_engine
from tests.integration.cutting_proxy import cutting_proxy
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.mirror_program import Mirror, mirror
from tests.integration.placed_images import AMD64, ARM64, PlacedImages, place_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

APP, PAUSE, EDGE = "quay.io/demo/app:1", "registry.k8s.io/pause:3.5", "docker.io/library/edge:1"
SCHEMA_2 = "registry.k8s.io/old/tool:v2"
FILLER_BYTES = 3_000_000


class Served(NamedTuple):
    """A mirror and the images that it has."""

    mirror: Mirror
    placed: PlacedImages

    @property
    def host(self) -> str:
        return self.mirror.url.removeprefix("http://")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    scratch = tmp_path_factory.mktemp("images")
    wishes = {APP: (AMD64, ARM64), PAUSE: (AMD64,), EDGE: (ARM64,)}
    placed = place_images(scratch, wishes, {"pause": "docker.io/kubeedge/pause:3.5"}, filler_bytes=FILLER_BYTES)
    root = placed.write_bundle(tmp_path_factory.mktemp("site") / "root")
    with mirror(root, "--workers", "2") as running:
        yield Served(running, placed)


@pytest.fixture(scope="module")
def docker_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for an image in Docker's format."""
    placed = place_images(tmp_path_factory.mktemp("images"), {SCHEMA_2: (AMD64, ARM64)}, docker=True)
    with mirror(placed.write_bundle(tmp_path_factory.mktemp("site") / "root")) as running:
        yield Served(running, placed)


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def emptied(docker: DockerEngine) -> DockerEngine:
    """The engine without any image."""
    return docker.emptied()


@pytest.fixture
def containerd(tmp_path: Path) -> Iterator[Containerd]:
    with containerd_engine(tmp_path / "containerd") as running:
        yield running


def docker_fails(engine: DockerEngine, *arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], env=engine.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode != 0, done.stdout
    return done.stderr


@pytest.mark.parametrize("name", ["library/pause:3.5", "kubeedge/pause:3.5", "pause:3.5", "registry.k8s.io/pause:3.5"])
def test_docker_pulls_by_every_name_and_runs(served: Served, emptied: DockerEngine, name: str) -> None:
    said = emptied.docker("pull", f"{served.host}/{name}")
    assert served.placed.digests[PAUSE] in said
    assert (
        json.loads(emptied.docker("inspect", f"{served.host}/{name}"))[0]["Id"] == served.placed.ids[PAUSE][str(AMD64)]
    )
    ran = ["run", "--rm", "--network=none", f"{served.host}/{name}", "sh", "-c", "read line </image; echo $line"]
    assert emptied.docker(*ran) == f"{PAUSE} linux/amd64\n"


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_docker_pulls_every_platform_by_digest(served: Served, emptied: DockerEngine, platform: str) -> None:
    name = f"{served.host}/demo/app@{served.placed.digests[APP]}"
    emptied.docker("pull", "--platform", platform, name)
    assert json.loads(emptied.docker("inspect", name))[0]["Id"] == served.placed.ids[APP][platform]


def test_docker_pulls_an_image_in_its_own_format(docker_served: Served, emptied: DockerEngine) -> None:
    said = emptied.docker("pull", f"{docker_served.host}/old/tool:v2")
    assert docker_served.placed.digests[SCHEMA_2] in said
    assert emptied.docker("images", "-q", "--no-trunc").split() == [docker_served.placed.ids[SCHEMA_2]["linux/amd64"]]


def test_docker_s_push_is_refused_in_the_mirror_s_words(served: Served, emptied: DockerEngine) -> None:
    emptied.docker("pull", f"{served.host}/library/pause:3.5")
    emptied.docker("tag", f"{served.host}/library/pause:3.5", f"{served.host}/new/pause:3.5")
    assert "unsupported: this registry only reads" in docker_fails(emptied, "push", f"{served.host}/new/pause:3.5")


def test_docker_is_told_what_is_not_there(served: Served, emptied: DockerEngine) -> None:
    assert "not found" in docker_fails(emptied, "pull", f"{served.host}/library/absent:1")
    assert "manifest unknown" in docker_fails(emptied, "pull", f"{served.host}/library/pause:absent")


def test_docker_goes_on_where_a_pull_was_cut(served: Served, emptied: DockerEngine) -> None:
    parts = 'mirror_requests_total{protocol="http",status="206"}'
    before = served.mirror.metric(parts)
    # in the middle of the one large layer, whichever of the connections carries it
    with cutting_proxy(served.host, *[FILLER_BYTES * 2 // 3] * 9) as proxy:
        emptied.docker("pull", f"{proxy.host}/library/pause:3.5")
    assert emptied.docker("images", "-q", "--no-trunc").split() == [served.placed.ids[PAUSE][str(AMD64)]]
    assert served.mirror.metric(parts) > before


def test_docker_logs_in_with_the_mirror_s_users(served: Served, tmp_path: Path, emptied: DockerEngine) -> None:
    users = tmp_path / "htpasswd"
    users.write_text(
        subprocess.run(["htpasswd", "-Bbn", "edge", "s3cret"], capture_output=True, check=True, text=True).stdout
    )
    root = served.placed.write_bundle(tmp_path / "root")
    with mirror(root, "--users", str(users)) as running:
        host = running.url.removeprefix("http://")
        assert "no basic auth credentials" in docker_fails(emptied, "pull", f"{host}/library/pause:3.5")
        assert "401" in docker_fails(emptied, "login", "-u", "edge", "-p", "wrong", host)
        emptied.docker("login", "-u", "edge", "-p", "s3cret", host)
        emptied.docker("pull", f"{host}/library/pause:3.5")
        emptied.docker("logout", host)


def test_containerd_pulls_the_original_names(served: Served, containerd: Containerd) -> None:
    for registry in ("registry.k8s.io", "quay.io", "docker.io"):
        containerd.mirrors(registry, served.mirror.url)
    for artifact in served.placed.artifacts:
        for platform in artifact.platforms:
            containerd.pull(artifact.key, str(platform))
    containerd.pull("docker.io/kubeedge/pause:3.5", "linux/amd64")
    digests = served.placed.digests
    assert containerd.images() == digests | {"docker.io/kubeedge/pause:3.5": digests[PAUSE]}
    wanted = {str(image.manifest.digest) for artifact in served.placed.artifacts for image in artifact.images}
    assert wanted <= containerd.blobs()


def test_containerd_gets_nobody_else_s_image(served: Served, containerd: Containerd) -> None:
    containerd.mirrors("other.example", served.mirror.url)
    arguments = ("images", "pull", "--hosts-dir", containerd.hosts, "--snapshotter", "native")
    done = containerd.run(*arguments, "other.example/library/pause:3.5")
    assert done.returncode != 0
    assert "not found" in done.stderr


def test_containerd_calls_the_mirror_by_its_own_name(served: Served, containerd: Containerd) -> None:
    containerd.mirrors(served.host, served.mirror.url)
    containerd.pull(f"{served.host}/library/pause:3.5", "linux/amd64")
    assert containerd.images() == {f"{served.host}/library/pause:3.5": served.placed.digests[PAUSE]}


def test_containerd_pulls_an_image_in_docker_s_format(docker_served: Served, containerd: Containerd) -> None:
    containerd.mirrors("registry.k8s.io", docker_served.mirror.url)
    for platform in ("linux/amd64", "linux/arm64"):
        containerd.pull(SCHEMA_2, platform)
    assert containerd.images() == docker_served.placed.digests
    layers = [layer.digest for image in docker_served.placed.artifacts[0].images for layer in image.layers]
    for layer in layers:
        data = subprocess.run(
            ["/usr/bin/ctr", "--address", containerd.socket, "content", "get", str(layer)],
            capture_output=True,
            check=True,
        ).stdout
        assert hashlib.sha256(data).hexdigest() == layer.hex
