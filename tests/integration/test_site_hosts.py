"""`bundler site` on booted hosts: planned, applied, joined, repeated, cut off, undone. What is played: `site_stage`."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.stage import Stage, stage
from tests.integration.carried_demo import asked, carried_site, registry
from tests.integration.site_invitation import invitation, join_on_a_terminal
from tests.integration.site_stage import (
    CARRIED,
    CONFIG,
    EDGE_CONFIG,
    EDGE_TOOL,
    PRIVATE_TOKEN,
    SITE,
    PlayedRole,
    bring_token,
    carry,
    configuration,
    differences,
    make_ready,
    plans,
    state,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.site.config.model import Role
    from tests.hosts.storage import Snapshot
    from tests.integration.ready_runtime import ReadyRuntime

# hosts take memory: a module of each of two groups has them at a time, `hosts` and `site`
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("site")]
# after how many steps of each role the power is cut; 15 is each in turn, which takes some minutes
CUTS = int(os.environ.get("CUTS", "0"))
SOME: dict[Role, tuple[str, ...]] = {
    "cloud": ("daemon-json", "keadm-init", "cloudcore-service"),
    "edge": ("docker", "keadm-join"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Both roles on their hosts, with what these were before, and what they became undisturbed.

    Arguments:
        edge: with a carried bundle and a token in a file.
        joined: the same host, with what one line has brought.
        undisturbed: role -> `state`, once it was applied.
    """

    stage: Stage
    cloud: PlayedRole
    edge: PlayedRole
    joined: PlayedRole
    fresh: dict[Role, Snapshot]
    before: dict[Role, str]
    undisturbed: dict[Role, str]

    @property
    def roles(self) -> tuple[PlayedRole, PlayedRole]:
        """The cloud's first."""
        return self.cloud, self.edge


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, runtime: ReadyRuntime) -> Iterator[Scene]:
    """Master and edge with the bundle, a registry beside them, everything that is written on disks that lose power."""
    archive = carried_site(tmp_path_factory.mktemp("carried"), runtime)
    with stage(*plans(disks=("/",))) as made, registry(made, tmp_path_factory.mktemp("registry")):
        master, other = made.hosts
        cloud = PlayedRole(master, "cloud")
        # the edge's host name is another one at first
        named = ("--host", "edge1")
        edge = PlayedRole(other, "edge", named, ("--token-file", PRIVATE_TOKEN), f"{CARRIED}/bin/bundler")
        joined = PlayedRole(other, "edge", tool=EDGE_TOOL, config=EDGE_CONFIG)
        for host in made:
            host.power_on()
        for host in made:
            host.wait_until_up()
        carry(master, archive)
        carry(other, archive, CARRIED)
        make_ready(master, other)
        for host in made:
            host.stop()
        fresh = {played.role: played.host.snapshot() for played in (cloud, edge)}
        for host in made:
            host.start()
        before = {played.role: configuration(played.host) for played in (cloud, edge)}
        yield Scene(made, cloud, edge, joined, fresh, before, {})


def test_a_plan_on_a_fresh_host_has_every_step_and_changes_nothing(scene: Scene) -> None:
    for played in scene.roles:
        assert [step["name"] for step in played.plan()] == played.names
        text = played.type("plan").stdout
        assert all(f"  {name} " in text for name in played.names)
        assert not differences(configuration(played.host), scene.before[played.role])
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


def test_a_clock_in_1970_is_named_before_anything_is_changed(scene: Scene) -> None:
    played = scene.edge
    command = ["faketime", "-f", "@1970-01-01 00:01:00", *played.words("apply"), "--json"]
    done = played.host.run(*command)
    assert (done.code, json.loads(done.stdout)["id"]) == (9, "site-unmet"), done
    assert "clock is wrong by years" in done.stdout
    assert configuration(played.host) == scene.before["edge"]


def test_a_disk_that_fills_up_is_told_and_the_same_command_goes_on_once_there_is_room(scene: Scene) -> None:
    played = scene.cloud
    played.host.sh("mkdir /etc/kubeedge && mount -t tmpfs -o size=64k none /etc/kubeedge")
    failure = played.failure("apply")
    assert failure["id"] == "disk-full", failure
    assert failure["where"].startswith("/etc/kubeedge/")
    played.host.sh("umount /etc/kubeedge && rmdir /etc/kubeedge")
    made = played.apply()
    assert next(name for name in made if made[name]) == "kubeedge-files"
    assert "kubeedge/pause" in asked(scene.stage, "http://127.0.0.1:5000/v2/_catalog")
    scene.undisturbed["cloud"] = state(played.host, "cloud")


def test_the_master_is_as_its_steps_say_and_the_doctor_misses_the_edge(scene: Scene) -> None:
    played = scene.cloud
    assert not any(played.apply().values())
    assert {step["state"] for step in played.answer("check")["steps"]} == {"done"}
    done = played.host.run(played.tool, "site", "doctor", "--config", CONFIG)
    assert "edge1: has not joined" in done.stdout
    assert done.stdout.count("fault:") == 1


def test_one_line_and_a_typed_code_make_an_edge_a_node(scene: Scene) -> None:
    master, edge = scene.cloud.host, scene.joined.host
    with invitation(master, scene.cloud.tool, "site", "invite", "--host", "edge1", "--config", CONFIG) as invited:
        printed = join_on_a_terminal(edge, invited.line, invited.code)
    assert "edge1 is known to the master" in printed
    assert invited.code not in printed.replace("\r", "").split("the steps follow")[1]
    assert edge.sh("uname -n; demo-tool").splitlines()[0] == "edge1"
    assert not any(scene.joined.apply().values())
    assert {step["state"] for step in scene.joined.answer("check")["steps"]} == {"done"}
    for played in (scene.cloud, scene.joined):
        done = played.host.run(played.tool, "site", "doctor", "--config", played.config)
        assert done.code == 0, done.stdout + done.stderr
        assert not any(played.apply().values())
    told = edge.run(EDGE_TOOL, "site", "doctor").stdout
    assert "198.51.100.1:10000  connected" in told
    # the token stands where edgecore reads it, and in what undoing puts back there, for root alone
    token = master.run(scene.cloud.tool, "site", "token", "--config", CONFIG).stdout.strip()
    places = edge.sh('grep -rlF "$TOKEN" /etc /root /var/lib /var/log /run || true', env={"TOKEN": token}).split()
    assert "/etc/kubeedge/config/edgecore.yaml" in places
    assert len([path for path in places if "/edge/originals/" not in path]) == 1
    assert set(edge.sh(f"stat -c %a {' '.join(places)}").split()) == {"600"}
    scene.undisturbed["edge"] = state(edge, "edge")


def test_a_host_name_that_changed_is_told_and_mended(scene: Scene) -> None:
    played, host = scene.joined, scene.joined.host
    host.sh("hostname other && echo other >/etc/hostname")
    named = (*played.options, "--host", "edge1")
    other = PlayedRole(host, "edge", named, tool=played.tool, config=played.config)
    states = {step["name"]: step["state"] for step in other.plan()}
    assert {name for name, found in states.items() if found != "done"} == {"hostname"}
    told = host.run(played.tool, "site", "doctor", "--host", "edge1", "--config", played.config)
    assert "is 'other', and the site says 'edge1'" in told.stdout
    # somebody has changed a file that was edited here: it is not overwritten without a word
    assert other.failure("apply")["id"] == "site-file-changed"
    edited, kept = other.apply("--force")["hostname"]
    assert edited == "edit /etc/hostname"
    assert kept.startswith("what somebody else made of /etc/hostname is kept in /var/lib/kubeedge-bundler/edge/")
    assert host.sh("uname -n; cat /etc/hostname").split() == ["edge1", "edge1"]
    assert not differences(state(host, "edge"), scene.undisturbed["edge"])


def test_one_at_a_time(scene: Scene) -> None:
    host = scene.cloud.host
    lock = "/var/lib/kubeedge-bundler/cloud/journal.json.lock"
    command = [*scene.cloud.words("apply"), "--only", "hosts", "--json"]
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
    made = played.apply()
    assert {name: changes for name, changes in made.items() if changes} == {
        "hosts": ["add to /etc/hosts, at its end"],
        "mirror": made["mirror"],
    }
    assert made["mirror"][0].endswith("mirror service install -- --root /opt --http :8089")
    assert "198.51.100.3 edge2" in played.host.sh("cat /etc/hosts")
    write(played.host, CONFIG, SITE.replace("HTTP_PORT", "8088"))
    played.apply()
    assert not differences(configuration(played.host), before)


def test_undo_gives_every_byte_back_and_says_what_stays(scene: Scene) -> None:
    for played, stays in ((scene.joined, "demo-tool"), (scene.cloud, "images stay in beside:5000")):
        done = played.type("undo")
        assert done.code == 0, done.stderr
        assert stays in done.stderr
        assert not differences(configuration(played.host), scene.before[played.role])
        assert played.host.sh("uname -n").strip() == played.host.name
        played.host.reboot()
        assert not differences(configuration(played.host), scene.before[played.role])
        assert played.host.sh("uname -n").strip() == played.host.name
        for unit in ("kubeedge-mirror", "cloudcore", "edgecore"):
            assert played.host.run("systemctl", "is-active", unit).code != 0
        assert played.host.run("pgrep", "-x", "cloudcore|edgecore").code == 1
    sets = scene.cloud.host.sh("cat /var/lib/stand-ins/cluster/daemonsets.json")
    assert "node-role.kubernetes.io/edge" not in sets


def test_power_that_is_cut_after_each_step_in_turn_makes_no_difference(scene: Scene) -> None:
    for played in scene.roles:
        host = played.host
        host.roll_back(scene.fresh[played.role])
        host.start()
        if played.role == "edge":
            bring_token(scene.cloud.host, host)
        names = played.names[:-1]
        for name in names[:: -(-len(names) // CUTS)] if CUTS else SOME[played.role]:
            played.cut_after(name)
        played.apply()
        assert not any(played.apply().values())
        assert {step["state"] for step in played.answer("check")["steps"]} == {"done"}
        assert not differences(state(host, played.role), scene.undisturbed[played.role])
    for played in reversed(scene.roles):
        assert played.type("undo").code == 0
        assert not differences(configuration(played.host), scene.before[played.role])
