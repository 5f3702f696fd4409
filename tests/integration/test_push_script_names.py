"""What push.sh leaves of names in the engine, and what it does about an image that has no name to push."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundled_images import open_images
from bundler.push.push_plan import PushSettings, push_plan
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.placed_images import AMD64, PlacedImages, place_images
from tests.integration.push_script import SHELLS, held, push, tags
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
PAUSE = "registry.k8s.io/pause:3.5"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with plain_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> PlacedImages:
    return place_images(tmp_path_factory.mktemp("made"), {PAUSE: (AMD64,)})


@pytest.fixture(scope="module")
def directory(images: PlacedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return images.write_bundle(tmp_path_factory.mktemp("root")) / "k8simage"


@pytest.fixture
def emptied(engine: DockerEngine) -> DockerEngine:
    """The engine without any image."""
    return engine.emptied()


@pytest.mark.parametrize("shell", SHELLS)
def test_names_that_the_engine_had_are_what_they_were(
    shell: str, directory: Path, images: PlacedImages, emptied: DockerEngine, registry: Registry
) -> None:
    mine = f"{registry.host}/library/pause:3.5"
    emptied.docker("import", "/dev/null", mine)
    before = emptied.docker("inspect", "--format", "{{.Id}}", mine)
    done = push(directory, emptied, registry.host, shell=shell)
    assert done.returncode == 0, done.stderr
    pushed = images.ids[PAUSE]["linux/amd64"]
    assert held(registry, "library/pause:3.5") == pushed
    assert emptied.docker("inspect", "--format", "{{.Id}}", mine) == before
    assert emptied.docker("inspect", "--format", "{{.RepoTags}}{{.RepoDigests}}", pushed) == f"[{PAUSE}][]\n"
    # a name that is the image's own is not taken away
    emptied.docker("tag", PAUSE, mine)
    assert push(directory, emptied, registry.host, shell=shell).returncode == 0
    assert mine in tags(emptied)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_push_that_is_ended_gives_its_name_back(
    shell: str, directory: Path, emptied: DockerEngine, registry: Registry, tmp_path: Path
) -> None:
    spy, real = tmp_path / "bin/docker", shutil.which("docker", path=emptied.environment["PATH"])
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\n[ "$1" != push ] || {{ kill -TERM $PPID; exit 1; }}\nexec {real} "$@"\n')
    spy.chmod(0o755)
    path = f"{spy.parent}:{emptied.environment['PATH']}"
    done = push(directory, emptied, registry.host, shell=shell, PATH=path)
    assert done.returncode == 143, done.stderr
    assert tags(emptied) == [PAUSE]


@pytest.mark.parametrize("shell", SHELLS)
def test_an_image_by_digest_alone_is_told_and_the_others_are_pushed(
    shell: str, emptied: DockerEngine, registry: Registry, tmp_path: Path
) -> None:
    wishes = {"quay.io/pinned:1": (AMD64,), PAUSE: (AMD64,)}
    placed = place_images(tmp_path / "made", wishes, by_digest=["quay.io/pinned:1"])
    root = placed.write_bundle(tmp_path / "root")
    with open_images(root) as opened:
        plan = push_plan(opened.images, PushSettings())
    (pinned,) = (str(one.source) for one in plan.pushes if not one.target.tag)
    shown = push(root / "k8simage", emptied, "--dry-run", registry.host, shell=shell)
    assert dict(line.split("\t") for line in shown.stdout.splitlines()) == {
        str(one.source): f"{registry.host}/{one.name}" for one in plan.pushes
    }
    done = push(root / "k8simage", emptied, registry.host, shell=shell)
    assert (shown.returncode, done.returncode) == (0, 1), done.stderr
    for said in (shown.stderr, done.stderr):
        assert f"{pinned} is known by its digest alone" in said
        assert "bundler push-images --via registry" in said
    assert done.stderr.splitlines()[-1] == f"push.sh: not done: {pinned}"
    assert held(registry, "library/pause:3.5") == placed.ids[PAUSE]["linux/amd64"]
    assert tags(emptied) == ["<none>:<none>", PAUSE]
