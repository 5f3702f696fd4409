"""The user's commands, one after the other, on booted hosts that have no Python and know nobody but each other."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.hosts.stage import HostPlan, Stage, stage
from tests.integration.bare_site import asked, build_demo_with_runtime
from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hosts.nspawn_host import NspawnHost

# hosts take memory: the two of a module are enough at a time
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]
ARCHIVE = "kubernetes_kubeedge_allinone.tar.gz"
# a demo without what is on every mirror's host anyway
REGISTRY = """
version: 0.1
storage: {{filesystem: {{rootdirectory: "{directory}"}}}}
http: {{addr: ":5000", secret: something}}
"""
LONG_S = 300


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """What is carried to the site: an archive of the demo with a runtime."""
    directory = tmp_path_factory.mktemp("carried")
    build_demo_with_runtime(directory, pytestconfig.cache.mkdir("portable-python"), {ARCHIVE: ""})
    return directory / ARCHIVE


@pytest.fixture(scope="module")
def site(carried: Path) -> Iterator[Stage]:
    """A master that the archive was carried to, and an edge."""
    with stage(HostPlan("master"), HostPlan("edge", packages=("curl",))) as made:
        for host in made:
            host.power_on()
        for host in made:
            host.wait_until_up()
            assert host.run("sh", "-c", "command -v python3 python").stdout == ""
        made.hosts[0].copy_in(carried, f"/root/{ARCHIVE}")
        yield made


@contextmanager
def registry(site: Stage, directory: Path) -> Iterator[str]:
    """Run a registry beside the hosts; yields its name on their network."""
    (directory / "registry.yml").write_text(REGISTRY.format(directory=directory / "blobs"))
    command = [*site.beside, "docker-registry", "serve", str(directory / "registry.yml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: asked(site, "http://127.0.0.1:5000/v2/") == "{}", "the registry answers")
        yield "198.51.100.254:5000"
    finally:
        process.terminate()
        process.wait()


def health(host: NspawnHost) -> str:
    """Return what the mirror says of itself to a host, "" when it cannot be reached."""
    return host.run("curl", "-fsS", "http://master:8088/-/health").stdout


def is_served(host: NspawnHost) -> bool:
    answer = health(host)
    return bool(answer) and bool(json.loads(answer)["ready"])


def test_the_user_s_commands_work_one_after_the_other(site: Stage, tmp_path: Path) -> None:
    master, edge = site.hosts
    master.sh(f"tar -zxf /root/{ARCHIVE} -C /opt")
    told = master.sh("sh /opt/install.sh --prefix /usr/local --mirror", timeout_s=LONG_S)
    assert "all intact" in told
    assert master.sh("bundler --version; mirror --version").startswith("bundler, version ")
    eventually(lambda: is_served(edge), "the mirror serves the edge")
    assert edge.sh("curl -fsS ftp://master/docs/notes.txt") == master.sh("cat /opt/docs/notes.txt")
    master.reboot()
    eventually(lambda: is_served(edge), "the mirror serves the edge after a reboot")
    with registry(site, tmp_path) as name:
        pushed = json.loads(
            master.sh(f"/opt/bin/bundler push-images --registry {name} --plain-http --json", timeout_s=LONG_S)
        )
        listed = json.loads(asked(site, "http://127.0.0.1:5000/v2/_catalog"))["repositories"]
    assert {image["outcome"] for image in pushed["images"]} == {"pushed"}
    assert "kubeedge/pause" in listed


def test_nothing_of_it_is_left_when_it_is_taken_away(site: Stage) -> None:
    master, edge = site.hosts
    before = set(master.sh("find /opt /usr/local /etc /var/lib -xdev").splitlines())
    assert master.run("test", "-e", "/opt/bundle.json").code == 0
    master.sh("sh /opt/install.sh --uninstall --purge --prefix /usr/local", timeout_s=LONG_S)
    assert master.sh("ls -A /opt") == ""
    after = set(master.sh("find /opt /usr/local /etc /var/lib -xdev").splitlines())
    assert not [path for path in after if "kubeedge" in path or path.endswith(("bin/mirror", "bin/bundler"))]
    assert after < before
    assert health(edge) == ""
