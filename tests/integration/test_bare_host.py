"""The user's commands, one after the other, on booted hosts that have no Python and know nobody but each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hosts.stage import HostPlan, Stage, stage
from tests.integration.carried_demo import ARCHIVE, asked, carried_demo, registry
from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hosts.nspawn_host import NspawnHost
    from tests.integration.ready_runtime import ReadyRuntime

# hosts take memory: a module of each of two groups has them at a time, `hosts` and `site`
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]
LONG_S = 300


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory, runtime: ReadyRuntime) -> Path:
    """What is carried to the site: an archive of the demo with a runtime."""
    return carried_demo(tmp_path_factory.mktemp("carried"), runtime)


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


def health(host: NspawnHost) -> str:
    """Return what the mirror says of itself to a host, "" when it cannot be reached."""
    return host.run("curl", "-fsS", "http://master:8088/-/health").stdout


def is_served(host: NspawnHost) -> bool:
    answer = health(host)
    return bool(answer) and bool(json.loads(answer)["ready"])


def test_the_user_s_commands_work_one_after_the_other(site: Stage, tmp_path: Path) -> None:
    master, edge = site.hosts
    master.sh(f"tar -zxf /root/{ARCHIVE} -C /opt")
    master.sh("/opt/bin/mirror serve --root /opt >/dev/null 2>&1 & echo $! >/run/by-hand")
    eventually(lambda: is_served(edge), "a mirror that was started by hand serves the edge")
    assert edge.sh("curl -fsS http://master:8088/docs/notes.txt") == master.sh("cat /opt/docs/notes.txt")
    master.sh("kill $(cat /run/by-hand); while test -e /proc/$(cat /run/by-hand); do sleep 0.1; done")
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


def test_an_edge_s_part_is_whole_and_goes_without_a_trace(site: Stage) -> None:
    _, edge = site.hosts
    before = edge.sh("find /opt /usr/local /etc /var/lib -xdev")
    edge.sh("curl -fsSo /tmp/edge.sh http://master:8088/-/edge.sh && sh /tmp/edge.sh", timeout_s=LONG_S)
    assert "intact" in edge.sh("/opt/current/bin/bundler verify /opt/current")
    edge.sh("cd /opt && current/bin/bundler remove --deactivate demo_allinone-* --root /opt")
    assert edge.sh("find /opt /usr/local /etc /var/lib -xdev") == before


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
