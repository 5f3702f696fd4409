"""What the mirror tells clients of its registry, each in real use: dockerd, containerd, skopeo, and three shells.

Engines trust registries on loopback without being told, so the mirror listens on another address of this machine.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.certificates import authority
from tests.integration.containerd_engine import containerd_engine
from tests.integration.docker_engine import docker_engine
from tests.integration.mirror_program import PROGRAM, mirror
from tests.integration.placed_images import AMD64, ARM64, PlacedImages, place_images

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

# of TEST-NET-3 (RFC 5737), nobody else's; tests run in several processes, and each adds and removes its own
ADDRESS = f"203.0.113.{os.getpid() % 250 + 2}"
APP, PAUSE, EDGE = "quay.io/demo/app:1", "registry.k8s.io/pause:3.5", "docker.io/library/edge:1"
PLATFORMS = {APP: (AMD64, ARM64), PAUSE: (AMD64,), EDGE: (ARM64,)}
SHELLS = ("dash", "busybox sh", "bash")
USER, SECRET = "edge", "s3cret"
WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class Site:
    """A bundle of images, and the mirror's port on the address where its registry is."""

    root: Path
    placed: PlacedImages
    port: int

    @property
    def host(self) -> str:
        return f"{ADDRESS}:{self.port}"

    def snippets(self, *options: str) -> dict[str, dict[str, Any]]:
        """Return what `mirror clients` says of it, by name."""
        told = ["clients", "--json", "--root", str(self.root), "--host", ADDRESS, "--registry-port", str(self.port)]
        done = subprocess.run([PROGRAM, *told, *options], capture_output=True, check=True, text=True)
        return {snippet["name"]: snippet for snippet in json.loads(done.stdout)["snippets"]}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address, on loopback for as long as the tests run."""
    subprocess.run(["ip", "address", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True)
    yield ADDRESS
    subprocess.run(["ip", "address", "delete", f"{ADDRESS}/32", "dev", "lo"], check=True)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlacedImages]:
    placed = place_images(tmp_path_factory.mktemp("images"), PLATFORMS)
    return placed.write_bundle(tmp_path_factory.mktemp("site") / "root"), placed


@contextmanager
def serving(bundle: tuple[Path, PlacedImages], address: str, *options: str) -> Iterator[Site]:
    root, placed = bundle
    with mirror(root, "--registry", f"{address}:0", *options) as running:
        told = running.said("(images only").partition("://")[2].partition("/")[0]
        yield Site(root, placed, int(told.rpartition(":")[2]))


@pytest.fixture(scope="module")
def site(address: str, bundle: tuple[Path, PlacedImages]) -> Iterator[Site]:
    with serving(bundle, address) as running:
        yield running


@pytest.fixture(scope="module")
def closed_site(address: str, bundle: tuple[Path, PlacedImages], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same with TLS and a login; and its authority's file."""
    directory = tmp_path_factory.mktemp("tls")
    ours = authority(directory, "Site Root")
    users = directory / "users"
    users.write_bytes(subprocess.run(["htpasswd", "-Bbn", USER, SECRET], capture_output=True, check=True).stdout)
    chain = ours.server_file(ADDRESS, "127.0.0.1")
    with serving(bundle, address, "--tls-cert", str(chain), "--users", str(users)) as running:
        yield running, ours.file


def run(text: str, root: Path, shell: str = "sh") -> subprocess.CompletedProcess[str]:
    """Hand a snippet to a shell, with files below another root than this machine's, and a systemctl that only tells."""
    (root / "bin").mkdir(parents=True, exist_ok=True)
    (root / "bin" / "systemctl").write_text('#!/bin/sh\necho "systemctl $*"\n')
    (root / "bin" / "systemctl").chmod(0o755)
    return subprocess.run(
        shell.split(),
        input=text.replace("/etc/", f"{root}/etc/"),
        env={"PATH": f"{root / 'bin'}:/usr/bin:/bin", "HOME": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )


def test_the_page_s_own_urls_say_the_same_as_the_command(bundle: tuple[Path, PlacedImages]) -> None:
    root, placed = bundle
    with mirror(root) as running, mirror(root, "--registry", "127.0.0.1:0") as other:
        own = other.said("(images only").partition("://")[2].partition("/")[0]
        with urllib.request.urlopen(f"{other.url}/-/client/daemon.json") as answer:
            assert json.load(answer)["insecure-registries"] == [own]
        with urllib.request.urlopen(f"{running.url}/-/client/daemon.json") as answer:
            assert json.load(answer)["insecure-registries"] == [f"127.0.0.1:{running.port}"]
        with urllib.request.urlopen(f"{running.url}/-/client/") as answer:
            assert {"daemon.json", "registries.conf"} <= {
                line.split("\t")[0] for line in answer.read().decode().split("\n")
            }
        for language, words in (("en", "podman, CRI-O and skopeo"), ("zh", "podman、CRI-O 与 skopeo")):
            with urllib.request.urlopen(f"{running.url}/?lang={language}") as answer:
                page = answer.read().decode()
            assert words in page
            assert "insecure-registries" in page
    assert placed.digests


def test_docker_pulls_with_that_daemon_json(site: Site, tmp_path: Path) -> None:
    made = site.snippets()
    config = tmp_path / "daemon.json"
    config.write_text(made["daemon.json"]["text"])
    with docker_engine(tmp_path / "engine", options=["--config-file", str(config)]) as engine:
        for line in made["docker-pull.sh"]["text"].splitlines():
            words = line.split()
            assert words[:2] in (["docker", "pull"], ["docker", "tag"])
            platform = ["--platform", "linux/arm64"] if "edge" in line and words[1] == "pull" else []
            engine.docker(words[1], *platform, *words[2:])
        for name in (APP, PAUSE, EDGE):
            ids = site.placed.ids[name]
            assert engine.docker("inspect", "--format", "{{.Id}}", name).strip() in ids.values()
        # and as the hub's mirror, by the name without any host
        engine.docker("rmi", "-f", *engine.docker("images", "-q").split())
        engine.docker("pull", "--platform", "linux/arm64", "edge:1")
        assert engine.docker("images", "-q", "--no-trunc", "edge:1").strip() == site.placed.ids[EDGE]["linux/arm64"]


def test_docker_trusts_the_authority_where_it_was_told_to_put_it(
    closed_site: tuple[Site, Path], tmp_path: Path
) -> None:
    site, certificate = closed_site
    made = site.snippets("--tls", "--login")
    assert "daemon.json" not in made
    # this one directory Docker has at a fixed place of the machine
    (line,) = [line for line in made["docker-registry.sh"]["text"].splitlines() if "cp FILE.pem" in line]
    target = Path(line.split()[-1])
    assert target == Path(f"/etc/docker/certs.d/{site.host}/ca.crt")
    login = made["docker-pull.sh"]["text"].splitlines()[0].replace("@NAME@", USER).split()
    with docker_engine(tmp_path / "engine") as engine:
        engine_login = [*login[1:], "--password", SECRET]
        with pytest.raises(AssertionError, match="certificate"):
            engine.docker(*engine_login)
        target.parent.mkdir(parents=True)
        try:
            shutil.copy(certificate, target)
            engine.docker(*engine_login)
            engine.docker("pull", f"{site.host}/library/pause:3.5")
        finally:
            shutil.rmtree(target.parent)


def test_containerd_pulls_every_image_by_its_original_name(site: Site, tmp_path: Path) -> None:
    made = site.snippets()
    with containerd_engine(tmp_path / "containerd") as engine:
        place_hosts(made, engine.hosts)
        for name, platforms in PLATFORMS.items():
            for platform in platforms:
                engine.pull(name, str(platform))
        assert engine.images() == site.placed.digests


def test_containerd_pulls_with_an_authority_and_a_login(closed_site: tuple[Site, Path], tmp_path: Path) -> None:
    site, certificate = closed_site
    made = site.snippets("--tls", "--login")
    secret = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
    for snippet in made.values():
        snippet["text"] = snippet["text"].replace("@BASE64@", secret)
    with containerd_engine(tmp_path / "containerd") as engine:
        place_hosts(made, engine.hosts)
        failed = engine.run("images", "pull", "--hosts-dir", engine.hosts, "--snapshotter", "native", PAUSE)
        assert failed.returncode != 0
        hosts = engine.hosts / "registry.k8s.io" / "hosts.toml"
        # as the remark says: below capabilities
        (remark,) = [line for line in hosts.read_text().splitlines() if line.startswith("#   ca = ")]
        capabilities = '  capabilities = ["pull", "resolve"]\n'
        added = remark.removeprefix("# ").replace("/etc/containerd/certs.d/mirror/ca.crt", str(certificate))
        hosts.write_text(hosts.read_text().replace(capabilities, f"{capabilities}{added}\n"))
        engine.pull(PAUSE, "linux/amd64")
        assert engine.images() == {PAUSE: site.placed.digests[PAUSE]}


def place_hosts(made: dict[str, dict[str, Any]], hosts: Path) -> None:
    for name, snippet in made.items():
        if name.startswith("hosts-"):
            path = hosts / Path(snippet["path"]).relative_to("/etc/containerd/certs.d")
            path.parent.mkdir(parents=True)
            path.write_text(snippet["text"])


def test_skopeo_finds_every_image_by_its_original_name(site: Site, tmp_path: Path) -> None:
    made = site.snippets()
    config = tmp_path / "registries.conf"
    config.write_text(made["registries.conf"]["text"])
    for name, digest in site.placed.digests.items():
        command = ["skopeo", "--registries-conf", str(config), "inspect", "--raw", f"docker://{name}"]
        raw = subprocess.run(command, capture_output=True, check=True, timeout=WITHIN_S).stdout
        assert raw == site.placed.blobs[next(a.top.digest for a in site.placed.artifacts if a.key == name)], digest
    listing = made["podman-registry.sh"]["text"].splitlines()[-1]
    assert json.loads(run(listing, tmp_path).stdout)["Tags"] == ["1"]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("name", "file"), [("docker-registry.sh", "daemon.json"), ("podman-registry.sh", "registries.conf")]
)
def test_files_are_made_and_never_changed(site: Site, tmp_path: Path, shell: str, name: str, file: str) -> None:
    made = site.snippets()
    script = made[name]["text"].partition("END\npodman")[0].removesuffix("END\n") + "END\n"
    placed = tmp_path / made[file]["path"].removeprefix("/")
    wanted = made[file]["text"].replace("/etc/", f"{tmp_path}/etc/")
    first = run(script, tmp_path, shell)
    assert placed.read_text() == wanted
    restarts = ["systemctl reload-or-restart docker"] if file == "daemon.json" else []
    assert (first.returncode, first.stdout.splitlines(), first.stderr) == (0, restarts, "")
    again = run(script, tmp_path, shell)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    placed.write_text('{"exec-opts": ["native.cgroupdriver=systemd"]}')
    refused = run(script, tmp_path, shell)
    assert placed.read_text() == '{"exec-opts": ["native.cgroupdriver=systemd"]}'
    assert f"{placed} exists and was left alone" in refused.stdout
    assert refused.stdout.endswith(wanted)
    assert "systemctl" not in refused.stdout


def test_every_hosts_toml_is_placed_by_one_command(site: Site, tmp_path: Path) -> None:
    made = site.snippets()
    # ctr itself has an engine of its own in another test
    script = "\n".join(made["containerd-registry.sh"]["text"].splitlines()[:-1])
    done = run(script, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for name, snippet in made.items():
        if name.startswith("hosts-"):
            assert (tmp_path / snippet["path"].removeprefix("/")).read_text() == snippet["text"]
