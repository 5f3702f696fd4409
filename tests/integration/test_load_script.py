"""load.sh of a bundle: into a real Docker engine and its containerd, by every shell and tar that a host may have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.images import make_image
from tests.integration.placed_images import (
    AMD64,
    ARM64,
    ARMV7,
    place_images,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.model.platform import Platform

pytestmark = pytest.mark.integration

SHELLS = ("dash", "busybox sh", "bash")
APP, TOOL, EDGE = "docker.io/demo/app:1", "quay.io/some/deep/tool:v2", "docker.io/library/edge:1"


@dataclass(frozen=True, slots=True)
class Tree:
    """An unpacked bundle's image directory, the config digests of its images by platform text, and their digests."""

    directory: Path
    ids: dict[str, dict[str, str]]
    digests: dict[str, str]


def place_tree(
    root: Path, wishes: Mapping[str, Sequence[Platform]], *, docker: bool = False, **further_names: str
) -> Tree:
    """Make images, pin them, and lay their placements out below a directory, as an unpacked bundle has them."""
    placed = place_images(root, wishes, further_names=further_names, docker=docker)
    placed.write(root / "bundle")
    return Tree(root / "bundle" / "k8simage", placed.ids, placed.digests)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Three images, one of them only for arm64, below a path with spaces."""
    root = tmp_path_factory.mktemp("a tree with spaces")
    wishes = {APP: (AMD64, ARM64, ARMV7), TOOL: (AMD64, ARM64), EDGE: (ARM64,)}
    return place_tree(root, wishes, app="docker.io/kubeedge/alias:9")


@pytest.fixture
def emptied(engine: DockerEngine) -> DockerEngine:
    """The engine without any image."""
    return engine.emptied()


def run_script(
    tree: Tree, engine: DockerEngine, *arguments: str, shell: str = "sh", path: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run load.sh from another directory."""
    script = (path or tree.directory) / "load.sh"
    return subprocess.run(
        [*shell.split(), str(script), *arguments],
        cwd="/",
        env={**engine.environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return what the script says of each image and platform: `NAME PLATFORM` -> loaded, present or FAILED."""
    found = re.findall(r"^(\S+) \((\S+), \d+ MiB\): (\w+)$", done.stdout, re.MULTILINE)
    return {f"{name} {platform}": outcome for name, platform, outcome in found}


def image_ids(engine: DockerEngine) -> dict[str, str]:
    lines = engine.docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
    return dict(line.split() for line in lines)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_image_is_loaded_and_runs(shell: str, tree: Tree, emptied: DockerEngine) -> None:
    done = run_script(tree, emptied, shell=shell)
    assert done.returncode == 0, done.stderr
    assert image_ids(emptied) == {
        "demo/app:1": tree.ids[APP]["linux/amd64"],
        "kubeedge/alias:9": tree.ids[APP]["linux/amd64"],
        "quay.io/some/deep/tool:v2": tree.ids[TOOL]["linux/amd64"],
    }
    assert outcomes(done) == {f"{APP} linux/amd64": "loaded", f"{TOOL} linux/amd64": "loaded"}
    assert f"{EDGE}: not there for linux/amd64, skipped" in done.stdout
    ran = emptied.docker(
        "run", "--rm", "--network=none", "kubeedge/alias:9", "sh", "-c", "read line </image; echo $line"
    )
    assert ran == f"{APP} linux/amd64\n"


def test_images_that_are_there_are_left_alone(tree: Tree, emptied: DockerEngine) -> None:
    run_script(tree, emptied)
    emptied.docker("rmi", "kubeedge/alias:9")
    again = run_script(tree, emptied)
    assert outcomes(again) == {f"{APP} linux/amd64": "loaded", f"{TOOL} linux/amd64": "present"}
    assert "kubeedge/alias:9" in image_ids(emptied)


def test_another_platform_on_request(tree: Tree, emptied: DockerEngine) -> None:
    done = run_script(tree, emptied, "--platform", "linux/arm64/v8")
    assert done.returncode == 0, done.stderr
    assert image_ids(emptied)["library/edge:1".removeprefix("library/")] == tree.ids[EDGE]["linux/arm64"]
    assert image_ids(emptied)["demo/app:1"] == tree.ids[APP]["linux/arm64"]


@pytest.mark.parametrize("asked", ["linux/arm", "linux/arm/v7"])
def test_both_spellings_of_a_variant(asked: str, tree: Tree, emptied: DockerEngine) -> None:
    done = run_script(tree, emptied, f"--platform={asked}", "--only", "*app*")
    assert done.returncode == 0, done.stderr
    assert image_ids(emptied)["demo/app:1"] == tree.ids[APP]["linux/arm/v7"]


@pytest.mark.parametrize("glob", ["demo/app:*", "docker.io/kubeedge/*", "*/alias:9"])
def test_only_what_matches(glob: str, tree: Tree, emptied: DockerEngine) -> None:
    done = run_script(tree, emptied, "--only", glob)
    assert done.returncode == 0, done.stderr
    assert set(image_ids(emptied)) == {"demo/app:1", "kubeedge/alias:9"}


def test_several_globs(tree: Tree, emptied: DockerEngine) -> None:
    run_script(tree, emptied, "--only=*tool*", "--only", "*alias*")
    assert set(image_ids(emptied)) == {"demo/app:1", "kubeedge/alias:9", "quay.io/some/deep/tool:v2"}


def test_a_platform_that_no_image_has_is_an_error(tree: Tree, emptied: DockerEngine) -> None:
    done = run_script(tree, emptied, "--platform", "linux/s390x")
    assert done.returncode == 1
    assert "nothing for linux/s390x, only for: linux/amd64 linux/arm64 linux/arm/v7" in done.stderr
    assert image_ids(emptied) == {}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--only", "nothing*"], 1, "no image matches"),
        (["--only"], 2, "--only needs a value"),
        (["--platform", ""], 2, "--platform needs a value"),
        (["--all"], 2, "unknown argument '--all'"),
    ],
)
def test_wrong_arguments(arguments: list[str], status: int, said: str, tree: Tree, engine: DockerEngine) -> None:
    done = run_script(tree, engine, *arguments)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_list_and_help_need_no_engine(shell: str, tree: Tree, engine: DockerEngine) -> None:
    listed = run_script(tree, engine, "--list", "--platform", "linux/arm64", shell=shell, DOCKER_HOST="unix:///nowhere")
    assert [line.split("\t")[::2] for line in listed.stdout.splitlines()] == [
        ["linux/arm64", f"{APP} docker.io/kubeedge/alias:9"],
        ["linux/arm64", EDGE],
        ["linux/arm64", TOOL],
    ]
    helped = run_script(tree, engine, "--help", shell=shell, DOCKER_HOST="unix:///nowhere")
    assert (helped.returncode, helped.stdout.startswith("Usage: load.sh")) == (0, True)


def test_an_engine_that_does_not_answer(tree: Tree, engine: DockerEngine) -> None:
    done = run_script(tree, engine, DOCKER_HOST="unix:///nowhere")
    assert done.returncode == 1
    assert "the Docker engine does not answer" in done.stderr


def test_one_bad_image_does_not_stop_the_rest(tree: Tree, emptied: DockerEngine, tmp_path: Path) -> None:
    copy = tmp_path / "k8simage"
    shutil.copytree(tree.directory, copy)
    archive = json.loads((copy / "manifest.json").read_text())
    own_layer = next(item["Layers"][-1] for item in archive if APP in item["RepoTags"])
    (copy / own_layer).write_bytes(b"damaged on the way")
    done = run_script(tree, emptied, path=copy)
    assert done.returncode == 1
    assert outcomes(done) == {f"{APP} linux/amd64": "FAILED", f"{TOOL} linux/amd64": "loaded"}
    assert done.stderr.endswith(f"not loaded: {APP}\n")
    assert set(image_ids(emptied)) == {"quay.io/some/deep/tool:v2"}
    (copy / own_layer).unlink()
    assert f"{own_layer} is missing" in run_script(tree, emptied, path=copy).stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_a_read_only_tree_and_busybox_tar(shell: str, tree: Tree, emptied: DockerEngine, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("tar", "mktemp", "ln", "rm", "uname", "sh"):
        (programs / name).symlink_to("/bin/busybox")
    for name in ("docker", "dash", "bash", "busybox"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    mounted, scratch = tmp_path / "read only", tmp_path / "scratch"
    mounted.mkdir()
    scratch.mkdir()
    subprocess.run(["mount", "--bind", str(tree.directory), str(mounted)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(mounted)], check=True)
        done = run_script(tree, emptied, shell=shell, path=mounted, PATH=str(programs), TMPDIR=str(scratch))
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
    assert done.returncode == 0, done.stderr
    assert len(image_ids(emptied)) == 3
    assert list(scratch.iterdir()) == [], "the temporary directory is gone"


def test_the_whole_directory_loads_as_it_is(tree: Tree, emptied: DockerEngine) -> None:
    with subprocess.Popen(["tar", "-C", str(tree.directory), "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(["docker", "load"], stdin=tar.stdout, env=emptied.environment, check=True, capture_output=True)
    assert image_ids(emptied)["demo/app:1"] == tree.ids[APP]["linux/amd64"]
    assert len(image_ids(emptied)) == 3


def test_another_platform_loads_by_its_own_archive(tree: Tree, emptied: DockerEngine) -> None:
    chosen = tree.directory / "platforms" / "linux-arm-v7"
    command = ["tar", "-C", str(tree.directory), "-cf", "-", "blobs", "-C", str(chosen), "manifest.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as tar:
        subprocess.run(["docker", "load"], stdin=tar.stdout, env=emptied.environment, check=True, capture_output=True)
    assert image_ids(emptied) == dict.fromkeys(("demo/app:1", "kubeedge/alias:9"), tree.ids[APP]["linux/arm/v7"])


@pytest.mark.parametrize("name", [APP, TOOL, EDGE, "docker.io/kubeedge/alias:9"])
def test_skopeo_reads_every_name(name: str, tree: Tree) -> None:
    done = subprocess.run(
        ["skopeo", "inspect", "--override-arch", "arm64", f"oci:{tree.directory}:{name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Architecture"] == "arm64"


def containerd_images(engine: DockerEngine, namespace: str = "k8s.io") -> dict[str, str]:
    listed = subprocess.run(
        ["ctr", "-n", namespace, "images", "ls"], env=engine.environment, capture_output=True, text=True, check=True
    ).stdout
    return {line.split()[0]: line.split()[2] for line in listed.splitlines()[1:]}


@pytest.mark.parametrize("shell", SHELLS)
def test_containerd(shell: str, tree: Tree, engine: DockerEngine) -> None:
    for name in containerd_images(engine):
        subprocess.run(["ctr", "-n", "k8s.io", "images", "rm", name], env=engine.environment, check=True)
    done = run_script(tree, engine, "--containerd", shell=shell)
    assert done.returncode == 0, done.stderr
    assert outcomes(done) == {f"{APP} linux/amd64": "loaded", f"{TOOL} linux/amd64": "loaded"}
    assert set(containerd_images(engine)) == {APP, "docker.io/kubeedge/alias:9", TOOL}
    assert run_script(tree, engine, "--containerd", shell=shell).stdout.count(": present") == 2
    other = run_script(tree, engine, "--containerd", "--platform", "linux/arm64", "--only", "*edge:1", shell=shell)
    assert other.returncode == 0, other.stderr
    assert EDGE in containerd_images(engine)


@pytest.mark.parametrize("docker", [False, True])
def test_containerd_takes_the_whole_directory(docker: bool, engine: DockerEngine, tmp_path: Path) -> None:
    tree = place_tree(tmp_path, {APP: (AMD64, ARM64), EDGE: (ARM64,)}, docker=docker)
    namespace = f"whole-{docker}"
    with subprocess.Popen(["tar", "-C", str(tree.directory), "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
        command = ["ctr", "-n", namespace, "images", "import", "--all-platforms", "--no-unpack", "-"]
        subprocess.run(command, stdin=tar.stdout, env=engine.environment, check=True, capture_output=True)
    assert containerd_images(engine, namespace) == tree.digests


def test_images_in_docker_format(emptied: DockerEngine, tmp_path: Path) -> None:
    tree = place_tree(tmp_path, {APP: (AMD64, ARM64)}, docker=True)
    first, again = run_script(tree, emptied), run_script(tree, emptied)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert image_ids(emptied) == {"demo/app:1": tree.ids[APP]["linux/amd64"]}
    assert outcomes(again) == {f"{APP} linux/amd64": "present"}
    containerd = run_script(tree, emptied, "--containerd", "--only", APP)
    assert containerd.returncode == 0, containerd.stderr


def test_an_image_by_digest_alone(emptied: DockerEngine, tmp_path: Path) -> None:
    made = make_image(tmp_path / "layout", "x")
    tree = place_tree(tmp_path, {f"docker.io/demo/x@{made.top.digest}": (AMD64,)})
    first, again = run_script(tree, emptied), run_script(tree, emptied)
    assert (first.returncode, first.stdout.count(": loaded")) == (0, 1), first.stderr
    assert again.stdout.count(": present") == 1
    assert emptied.docker("images", "-q", "--no-trunc").split() == [made.configs["linux/amd64"].digest]
