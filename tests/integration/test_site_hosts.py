"""`bundler site` on booted hosts: planned, applied, cut off, repeated, undone. What is played: `site_stage.PLAYED`."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.stage import Stage, stage
from tests.integration.carried_demo import asked, carried_demo, registry
from tests.integration.site_stage import (
    CONFIG,
    SITE,
    PlayedRole,
    answer,
    carry,
    configuration,
    plans,
    site_command,
    start_cloudcore,
    state,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.site.config.model import Role
    from tests.hosts.storage import Snapshot

# hosts take memory: the two of a module are enough at a time
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]
# what the stage has to have: none of these may be left out
OURS = {
    "cloud": ("preflight", "hosts", "repo", "mirror", "images"),
    "edge": ("preflight", "hostname", "hosts", "repo", "tools"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Both roles on their hosts, with what these were before, and what they became undisturbed.

    Arguments:
        undisturbed: role -> `state`, once it was applied.
    """

    stage: Stage
    cloud: PlayedRole
    edge: PlayedRole
    fresh: dict[Role, Snapshot]
    before: dict[Role, str]
    undisturbed: dict[Role, str]

    @property
    def roles(self) -> tuple[PlayedRole, PlayedRole]:
        """The cloud's first."""
        return self.cloud, self.edge


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Scene]:
    """Master and edge with the bundle, a registry beside them, everything that is written on disks that lose power."""
    archive = carried_demo(tmp_path_factory.mktemp("carried"), pytestconfig.cache.mkdir("portable-python"))
    with stage(*plans(disks=("/",))) as made, registry(made, tmp_path_factory.mktemp("registry")):
        # the edge's host name is another one at first
        roles = PlayedRole(made.hosts[0], "cloud"), PlayedRole(made.hosts[1], "edge", ("--host", "edge1"))
        for host in made:
            host.power_on()
        for host in made:
            host.wait_until_up()
            carry(host, archive)
            host.stop()
        fresh = {played.role: played.host.snapshot() for played in roles}
        for host in made:
            host.start()
        before = {played.role: configuration(played.host) for played in roles}
        yield Scene(made, *roles, fresh, before, {})


def test_a_plan_on_a_fresh_host_has_every_step_and_changes_nothing(scene: Scene) -> None:
    for played in scene.roles:
        assert [step["name"] for step in played.plan()] == played.names
        text = site_command(played.host, "plan", played.role, *played.options).stdout
        assert all(f"  {name} " in text for name in played.names)
        assert configuration(played.host) == scene.before[played.role]
        assert played.host.run("test", "-e", "/var/lib/kubeedge-bundler").code == 1
    # whoever plans needs no root
    host = scene.cloud.host
    host.sh(f"install -m 644 {CONFIG} /run/site.yaml")
    as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    done = host.run(*as_nobody, "/opt/bin/bundler", "site", "plan", "cloud", "--config", "/run/site.yaml", "--json")
    assert done.code == 0, done.stderr
    steps = json.loads(done.stdout)["steps"]
    assert [step["name"] for step in steps] == scene.cloud.names
    assert steps[0]["findings"][0]["id"] == "not-root"
    unreached = {finding["id"] for finding in scene.edge.plan()[0]["findings"]}
    assert {"cloud-unreachable", "mirror-unreachable"} <= unreached


def test_each_role_is_applied_once_and_then_again_without_a_change(scene: Scene) -> None:
    made = scene.cloud.apply()
    assert set(OURS["cloud"]) <= set(made)
    assert made["images"] == ["push the bundle's images to beside:5000"]
    assert "kubeedge/pause" in asked(scene.stage, "http://127.0.0.1:5000/v2/_catalog")
    start_cloudcore(scene.cloud.host)
    made = scene.edge.apply()
    assert set(OURS["edge"]) <= set(made)
    assert made["tools"] == ["install demo-tool"]
    assert scene.edge.host.sh("uname -n; demo-tool").splitlines()[0] == "edge1"
    for played in scene.roles:
        assert not any(played.apply().values())
        for name in OURS[played.role]:
            answer(played.host, "check", played.role, "--only", name, *played.options)
        scene.undisturbed[played.role] = state(played.host, played.role)


def test_one_at_a_time(scene: Scene) -> None:
    host = scene.cloud.host
    lock = "/var/lib/kubeedge-bundler/cloud/journal.json.lock"
    command = ["/opt/bin/bundler", "site", "apply", "cloud", "--only", "hosts", "--config", CONFIG, "--json"]
    done = host.run("flock", lock, *command)
    assert (done.code, json.loads(done.stdout)["id"]) == (9, "site-busy")
    both = [
        subprocess.Popen(host.command_line(*command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    for process in both:
        printed, _ = process.communicate()
        assert process.returncode == 0 or json.loads(printed)["id"] == "site-busy"
    assert 0 in {process.returncode for process in both}


def test_a_site_that_changed_between_runs_is_brought_to_what_it_says_now(scene: Scene) -> None:
    played = scene.cloud
    before = configuration(played.host)
    more = "- {name: edge2, role: edge, address: 198.51.100.3}\nmirror:"
    write(played.host, CONFIG, SITE.replace("mirror:", more).replace("HTTP_PORT", "8089"))
    made = played.apply("hosts", "mirror")
    assert made["hosts"] == ["add to /etc/hosts, at its end"]
    assert made["mirror"][0].endswith("mirror service install -- --root /opt --http :8089")
    assert "198.51.100.3 edge2" in played.host.sh("cat /etc/hosts")
    write(played.host, CONFIG, SITE.replace("HTTP_PORT", "8088"))
    played.apply("hosts", "mirror")
    assert configuration(played.host) == before


def test_undo_gives_every_byte_back_and_says_what_stays(scene: Scene) -> None:
    for played, stays in ((scene.edge, "demo-tool"), (scene.cloud, "images stay in beside:5000")):
        done = site_command(played.host, "undo", played.role, *played.options)
        assert done.code == 0, done.stderr
        assert stays in done.stderr
        assert configuration(played.host) == scene.before[played.role]
        assert played.host.sh("uname -n").strip() == played.host.name
        played.host.reboot()
        assert configuration(played.host) == scene.before[played.role]
        assert played.host.sh("uname -n").strip() == played.host.name
        assert played.host.run("systemctl", "is-active", "kubeedge-mirror").code != 0


def test_power_that_is_cut_after_each_step_in_turn_makes_no_difference(scene: Scene) -> None:
    for played in scene.roles:
        host = played.host
        host.roll_back(scene.fresh[played.role])
        host.start()
        taken = [name for name in played.names if name in OURS[played.role] or not played.left_out(name)]
        for name in taken:
            # what an earlier cut has taken away is made again, before the step whose end is not waited for
            played.apply(*taken[: taken.index(name) + 1])
            host.kill()
            host.start()
        played.apply()
        assert not any(played.apply().values())
        assert state(host, played.role) == scene.undisturbed[played.role]
        if played.role == "cloud":
            start_cloudcore(host)
