"""`mirror verify` in front of real registries: the mirror's own, and docker-registry with what can go wrong in one."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.certificates import authority
from tests.integration.demo_bundle import demo_bundle
from tests.integration.mirror_program import LOOPBACK, mirror
from tests.integration.nginx import nginx
from tests.integration.placed_images import AMD64, ARM64, PlacedImages, place_images
from tests.integration.registries import Registry, plain_registry
from tests.integration.test_mirror_verify import flip, mirror_verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

APP, PAUSE = "quay.io/demo/app:1", "registry.k8s.io/pause:3.5"
PAUSE_ALIAS = "docker.io/kubeedge/pause:3.5"
USER, SECRET = "edge", "s3cret"


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> PlacedImages:
    return place_images(
        tmp_path_factory.mktemp("images"), {APP: (AMD64, ARM64), PAUSE: (AMD64,)}, {"pause": PAUSE_ALIAS}
    )


PAUSE_ALIAS = "docker.io/kubeedge/pause:3.5"


@pytest.fixture(scope="module")
def root(placed: PlacedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return placed.write_bundle(tmp_path_factory.mktemp("site") / "root")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_bundle(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def peer(root: Path, tmp_path: Path) -> Iterator[tuple[str, Registry]]:
    """The bundle's files at nginx, whose URL comes first, and its images in docker-registry, pushed by skopeo."""
    (tmp_path / "nginx").mkdir()
    with nginx(root, tmp_path / "nginx") as files, plain_registry(tmp_path / "registry") as registry:
        for name in (APP, PAUSE, PAUSE_ALIAS):
            repository = {APP: "demo/app:1", PAUSE: "library/pause:3.5", PAUSE_ALIAS: "kubeedge/pause:3.5"}[name]
            registry.fill(root / "k8simage", name, repository)
        yield files.url, registry


def of_registry(answer: dict[str, Any]) -> dict[str, Any]:
    found = answer["mirrors"][0]["registry"]
    assert isinstance(found, dict)
    return found


def findings_of_registry(answer: dict[str, Any]) -> dict[str, str]:
    return {finding["path"]: finding["outcome"] for finding in of_registry(answer)["findings"]}


def findings(answer: dict[str, Any]) -> dict[str, str]:
    """Return those of the registry; of the files there is none."""
    assert answer["mirrors"][0]["findings"] == []
    return findings_of_registry(answer)


def stored(registry: Registry, digest: str) -> Path:
    hexadecimal = digest.removeprefix("sha256:")
    blobs = registry.directory / "storage" / "docker" / "registry" / "v2" / "blobs" / "sha256"
    return blobs / hexadecimal[:2] / hexadecimal / "data"


@pytest.mark.parametrize("held_to", ["nothing", "root", "lock"])
def test_every_image_of_the_demo_by_every_name(held_to: str, tree: Path, tmp_path: Path) -> None:
    arguments = {"nothing": [], "root": ["--root", str(tree)], "lock": ["--lock", str(tree / "lock.json")]}[held_to]
    log = tmp_path / "access.log"
    with mirror(tree, "--access-log", str(log)) as running:
        answer, said = mirror_verify(running.url, *arguments, code=0)
    registry = of_registry(answer)
    assert (answer["as_bundled"], said, registry["url"]) == (True, "", f"{running.url}/v2/")
    assert registry["files"] == registry["intact"] > 10
    lines = [line.split() for line in log.read_text().splitlines()]
    got = [words[6] for words in lines if words[5] == '"GET' and words[6].startswith("/v2/")]
    pulled = Counter(path.rpartition("/")[2] for path in got if "/blobs/" in path)
    assert pulled
    assert set(pulled.values()) == {1}


def test_a_registry_with_a_port_tls_and_users_of_its_own(root: Path, tmp_path: Path) -> None:
    ours = authority(tmp_path, "Site Root")
    users = tmp_path / "users"
    users.write_bytes(subprocess.run(["htpasswd", "-Bbn", USER, SECRET], capture_output=True, check=True).stdout)
    options = ["--registry", f"{LOOPBACK}:0", "--users", str(users), "--tls-cert", str(ours.server_file(LOOPBACK))]
    with mirror(root, *options) as running:
        url = running.said("(images only").split()[1].removesuffix("/v2/")
        arguments = [running.url, "--registry", url, "--user", USER, "--ca-file", str(ours.file)]
        answer, _ = mirror_verify(*arguments, code=0, MIRROR_PASSWORD=SECRET)
    assert of_registry(answer)["url"] == f"{url}/v2/"
    assert of_registry(answer)["intact"] > 0


def test_an_untouched_peer(peer: tuple[str, Registry]) -> None:
    url, registry = peer
    alone, _ = mirror_verify(url, code=0)
    assert alone["mirrors"][0]["registry"] is None
    answer, said = mirror_verify(url, "--registry", registry.url, code=0)
    assert (findings(answer), said) == ({}, "")


def test_one_byte_of_a_blob(peer: tuple[str, Registry], placed: PlacedImages) -> None:
    url, registry = peer
    layer = str(next(artifact for artifact in placed.artifacts if artifact.key == PAUSE).images[0].layers[0].digest)
    flip(stored(registry, layer))
    answer, said = mirror_verify(url, "--registry", registry.url, code=5)
    (found,) = findings(answer).items()
    assert found[1] == "differs"
    assert found[0].endswith(f"@{layer}")
    assert "[mirror-differs]" in said


def test_a_tag_that_points_elsewhere(peer: tuple[str, Registry], root: Path) -> None:
    url, registry = peer
    registry.fill(root / "k8simage", APP, "library/pause:3.5")
    answer, said = mirror_verify(url, "--registry", registry.url, code=5)
    assert findings(answer) == {"library/pause:3.5": "differs"}
    assert f"{registry.url}/v2/: library/pause:3.5: differs" in said


def test_a_missing_blob(peer: tuple[str, Registry], placed: PlacedImages) -> None:
    url, registry = peer
    manifest = next(artifact for artifact in placed.artifacts if artifact.key == APP).images[1]
    shutil.rmtree(stored(registry, str(manifest.config.digest)).parent)
    answer, _ = mirror_verify(url, "--registry", registry.url, code=5)
    assert findings(answer) == {f"demo/app@{manifest.config.digest}": "missing"}


def test_a_layer_that_changes_below_a_running_mirror(root: Path, placed: PlacedImages, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "root")
    tmp_path.chmod(0o755)
    layer = placed.artifacts[0].images[0].layers[0].digest
    with mirror(tmp_path / "root") as running:
        flip(tmp_path / "root" / "k8simage" / "blobs" / "sha256" / layer.hex)
        answer, _ = mirror_verify(running.url, code=5)
    assert findings_of_registry(answer)
    assert set(findings_of_registry(answer).values()) == {"refused"}
    assert all(path.endswith(f"@{layer}") for path in findings_of_registry(answer))


def test_a_registry_that_is_not_there(root: Path, tmp_path: Path) -> None:
    with nginx(root, tmp_path) as files:
        answer, said = mirror_verify(files.url, "--registry", "http://127.0.0.1:1", code=4)
        assert of_registry(answer)["failure"]["id"] == "source-unreachable"
        assert "http://127.0.0.1:1/v2/" in said
        mirror_verify(files.url, "--registry", "ftp://127.0.0.1", code=2)
