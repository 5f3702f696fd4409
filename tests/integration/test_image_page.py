"""The page of an image as the real mirror hands it out; its lines are typed at real engines."""

from __future__ import annotations

import re
import shlex
import subprocess
import urllib.error
import urllib.request
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.integration.containerd_engine import containerd_engine
from tests.integration.docker_engine import docker_engine
from tests.integration.mirror_program import Mirror, mirror
from tests.integration.placed_images import AMD64, ARM64, PlacedImages, place_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

APP, PAUSE = "quay.io/demo/app:1", "registry.k8s.io/pause:3.5"
_LINES = re.compile(r"<code data-text>(.*?)</code></pre>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mirror, PlacedImages]]:
    """A mirror of two images, on loopback, which engines trust without being told."""
    placed = place_images(tmp_path_factory.mktemp("images"), {APP: (AMD64, ARM64), PAUSE: (AMD64,)})
    with mirror(placed.write_bundle(tmp_path_factory.mktemp("site") / "root")) as running:
        yield running, placed


def _page(running: Mirror, placed: PlacedImages, name: str) -> str:
    with urllib.request.urlopen(f"{running.url}/-/image/{placed.digests[name].removeprefix('sha256:')}") as answer:
        text: str = answer.read().decode()
    return text


def _typed(page: str, program: str) -> list[list[str]]:
    """Return the lines for a program, as words."""
    lines = [line for block in _LINES.findall(page) for line in unescape(_TAG.sub("", block)).splitlines()]
    return [words for line in lines if (words := shlex.split(line))[0] == program]


def test_it_shows_what_the_image_is_made_of(site: tuple[Mirror, PlacedImages]) -> None:
    running, placed = site
    page = _page(running, placed, APP)
    (artifact,) = [each for each in placed.artifacts if each.key == APP]
    for image in artifact.images:
        assert f">{image.platform}</bdi></h2>" in page
        for layer in image.layers:
            assert str(layer.digest) in page
    assert "cannot be shown" not in page
    assert running.port


def test_what_is_no_image_is_not_found(site: tuple[Mirror, PlacedImages]) -> None:
    running, _ = site
    for path in ("/-/image/", f"/-/image/{'0' * 64}", "/-/image/x", f"/-/image/{'0' * 64}?bundle=0123456789ab"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(running.url + path)
        with caught.value as answer:
            assert answer.code == 404


def test_docker_pulls_by_it(site: tuple[Mirror, PlacedImages], tmp_path: Path) -> None:
    running, placed = site
    with docker_engine(tmp_path / "engine") as engine:
        for _, *words in _typed(_page(running, placed, PAUSE), "docker"):
            engine.docker(*words)
        found = engine.docker("inspect", "--format", "{{.Id}}", PAUSE).strip()
    assert found == placed.ids[PAUSE]["linux/amd64"]


def test_containerd_pulls_by_it(site: tuple[Mirror, PlacedImages], tmp_path: Path) -> None:
    running, placed = site
    (line,) = _typed(_page(running, placed, PAUSE), "ctr")
    # this host's file system has no other snapshotter
    line[line.index("pull") + 1 : line.index("pull") + 1] = ["--snapshotter", "native"]
    with containerd_engine(tmp_path / "containerd") as engine:
        engine.ctr(*line[1:])
        assert placed.digests[PAUSE] in engine.ctr("-n", "k8s.io", "images", "list")
    assert [words[:2] for words in _typed(_page(running, placed, PAUSE), "crictl")] == [["crictl", "pull"]]


def test_podman_s_name_is_the_registry_s(site: tuple[Mirror, PlacedImages]) -> None:
    running, placed = site
    *_, last = _typed(_page(running, placed, APP), "podman")
    options, name = last[2:-1], last[-1]
    command = ["skopeo", "inspect", *options, "--format", "{{.Digest}}", f"docker://{name}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == placed.digests[APP]
