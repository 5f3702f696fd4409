"""The engine's two steps: installed and running, and its settings merged, judged and taken over."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.host.interface import CommandResult, Process
from bundler.site.config.model import DockerSettings, RegistrySettings
from bundler.site.engine_state import UNIT, engine_flags, runs_the_control_plane
from bundler.site.engine_takeover import takeover_mark
from bundler.site.step import ApplyOptions
from bundler.site.step_plan import plan_site
from bundler.site.steps.container_engine import EngineInstalled
from bundler.site.steps.engine_settings import DAEMON_JSON, EngineSettings
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import SITE, applied, context, undone

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.site.config.model import Role
    from bundler.site.step import StepContext

MARK = takeover_mark("cloud")
SETTINGS = (EngineSettings(),)
RELOAD, RESTART = "systemctl reload docker.service", "systemctl restart docker.service"
SHOW = tuple(f"systemctl show {UNIT} --property=ExecStart --property=Environment --property=EnvironmentFiles".split())
PLAIN = replace(SITE, registry=RegistrySettings(https=False))


def says(stdout: str) -> Callable[[MemoryHost], CommandResult]:
    return lambda _: CommandResult(0, stdout, "")


def engine(content: bytes | None = b"{}", version: str = "20.10.24", *, control_plane: bool = False) -> MemoryHost:
    """Return a host on which an engine runs; it takes live-restore over when it is reloaded."""
    host = MemoryHost() if content is None else MemoryHost({DAEMON_JSON: content})

    def live(host: MemoryHost) -> CommandResult:
        live = RELOAD in host.ran and b'"live-restore": true' in host.files[DAEMON_JSON]
        return CommandResult(0, "true\n" if live else "false\n", "")

    host.answers = {
        ("dockerd", "--version"): says(f"Docker version {version}, build 1\n"),
        ("docker", "info", "--format", "{{.LiveRestoreEnabled}}"): live,
        ("docker", "info", "--format", "{{.Swarm.LocalNodeState}}"): says("inactive\n"),
        ("docker", "ps", "--quiet", "--filter", "name=kube-apiserver"): says("abc\n" if control_plane else ""),
        ("docker", "version", "--format", "{{.Server.Version}}"): says(version),
        ("systemctl", "is-active", "--quiet", "docker.service"): says(""),
        SHOW: says("ExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// ; ignore_errors=no }\n"),
    }
    return host


def test_a_fresh_host_gets_docker_from_the_bundle_alone() -> None:
    host = MemoryHost({"/usr/bin/yum": b""})
    at = context(host, files={"yum/docker-ce-20.10.24-3.el7.x86_64.rpm": b"1"})
    host.answers["dockerd", "--version"] = lambda host: CommandResult(0 if host.ran else 127, "", "")
    host.learn(EngineInstalled().changes(at))
    (plan,) = plan_site(at, (EngineInstalled(),))
    assert plan.state == "to-do"
    assert plan.changes[0].title == "install docker-ce"
    host.ran.clear()
    host.answers["dockerd", "--version"] = lambda host: (
        CommandResult(0, "Docker version 20.10.24, build 1\n", "") if host.ran else CommandResult(127, "", "")
    )
    assert applied(at, (EngineInstalled(),)) == [
        "install docker-ce",
        "systemctl enable docker.service",
        "systemctl start docker.service",
    ]
    assert host.ran[0] == "yum -y --disablerepo=* --enablerepo=bundler-site* install docker-ce"
    assert applied(at, (EngineInstalled(),)) == []
    lines = undone(at, (EngineInstalled(),))
    assert lines[:2] == ["systemctl stop docker.service", "systemctl disable docker.service"]
    assert "yum remove docker-ce" in lines[2]


def test_a_bundle_without_an_engine_is_in_the_way() -> None:
    host = MemoryHost()
    host.answers["dockerd", "--version"] = lambda _: CommandResult(127, "", "")
    (plan,) = plan_site(context(host), (EngineInstalled(),))
    assert (plan.state, plan.findings[0].id) == ("unmet", "package-missing")


def test_an_engine_of_another_package_is_kept_and_named() -> None:
    host = engine()
    (plan,) = plan_site(context(host), (EngineInstalled(),))
    assert plan.findings[0].what == "dockerd 20.10.24 is here from another package than docker-ce, and is kept"
    assert plan.findings[0].weight == "note"
    assert not any("install" in change.title for change in plan.changes)


def test_a_plan_before_there_is_an_engine_shows_the_settings() -> None:
    host = MemoryHost()
    host.failing = {words: CommandResult(127, "", "") for words in engine().answers}
    (plan,) = plan_site(context(host), SETTINGS)
    assert plan.state == "to-do"
    assert any("max-concurrent-downloads" in line for change in plan.changes for line in change.lines)
    assert host.files == {}


def test_settings_come_into_the_file_and_the_engine_is_restarted_once() -> None:
    host = engine(b'{"bip": "192.0.2.1/24"}')
    at = context(host, PLAIN)
    assert [line.split()[0:2] for line in applied(at, SETTINGS)] == [
        ["note", "in"],
        ["edit", DAEMON_JSON],
        ["systemctl", "restart"],
    ]
    written = json.loads(host.files[DAEMON_JSON])
    assert (written["bip"], written["insecure-registries"]) == ("192.0.2.1/24", ["master"])
    assert [line for line in host.ran if "systemctl" in line] == [RELOAD, RESTART]
    assert MARK not in host.files
    assert applied(at, SETTINGS) == []
    assert [plan.state for plan in plan_site(at, SETTINGS)] == ["done"]
    lines = undone(at, SETTINGS)
    assert host.files[DAEMON_JSON] == b'{"bip": "192.0.2.1/24"}'
    assert any("systemctl restart docker.service" in line for line in lines)


def test_settings_that_can_be_reloaded_restart_nothing() -> None:
    host = engine()
    applied(context(host, PLAIN), SETTINGS)
    host.ran.clear()
    more = replace(PLAIN, docker=DockerSettings({"debug": True}))
    assert applied(context(host, more), SETTINGS)[-1] == RELOAD
    assert [line for line in host.ran if "systemctl" in line] == [RELOAD]


@pytest.mark.parametrize("left", [b"restart\n", b"reload\n", b"?"])
def test_what_an_interruption_left_is_finished(left: bytes) -> None:
    host = engine()
    applied(context(host), SETTINGS)
    host.files[MARK] = left
    host.ran.clear()
    assert applied(context(host), SETTINGS) == [RELOAD if left == b"reload\n" else RESTART]
    assert MARK not in host.files


def test_with_live_restore_a_control_plane_outlives_the_restart() -> None:
    host = engine(control_plane=True)
    assert applied(context(host), SETTINGS)[-1] == RESTART
    (plan,) = plan_site(context(host), SETTINGS)
    assert plan.state == "done"


def test_an_engine_that_does_not_take_live_restore_over_is_not_restarted() -> None:
    host = engine(control_plane=True)
    host.answers["docker", "info", "--format", "{{.LiveRestoreEnabled}}"] = says("false\n")
    with pytest.raises(SiteError, match="has not taken live-restore over"):
        applied(context(host), SETTINGS)
    assert RESTART not in host.ran
    assert MARK in host.files


def test_a_restart_that_would_stop_the_control_plane_waits_for_a_word() -> None:
    host = engine(b'{"live-restore": false}', control_plane=True)
    (plan,) = plan_site(context(host), SETTINGS)
    assert [(finding.id, finding.weight) for finding in plan.findings][-1] == ("restart-waits", "pending")
    assert [line.split()[0] for line in applied(context(host), SETTINGS)] == ["note", "edit"]
    assert not any("systemctl re" in line for line in host.ran)
    (plan,) = plan_site(context(host), SETTINGS)
    assert (plan.state, plan.changes) == ("faulty", ())
    allowed = context(host, options=ApplyOptions(restart_docker=True))
    assert applied(allowed, SETTINGS) == [RESTART]
    assert applied(context(host), SETTINGS) == []


def test_what_the_engine_would_refuse_is_never_written() -> None:
    there = b'{"log-drivr": "x"}'
    host = engine(there)
    with pytest.raises(SiteError, match="no setting 'log-drivr'") as raised:
        applied(context(host), SETTINGS)
    assert (raised.value.id, raised.value.where) == (ErrorId.SITE_UNMET, DAEMON_JSON)
    assert host.files[DAEMON_JSON] == there


def test_from_23_on_dockerd_judges_it_before_it_is_written() -> None:
    host = engine(b'{"new-key": 1}', "28.1.0")
    command = ("dockerd", "--validate", "--config-file", "/dev/stdin")
    host.answers[command] = lambda _: CommandResult(1, "", "x\nunable to configure: new-key\n")
    (plan,) = plan_site(context(host), SETTINGS)
    assert (plan.state, plan.findings[0].what) == (
        "unmet",
        "dockerd refuses what it would become: unable to configure: new-key",
    )
    host.answers[command] = says("configuration OK")
    assert applied(context(host), SETTINGS)
    assert "oom-score-adjust" not in json.loads(host.files[DAEMON_JSON])


@pytest.mark.parametrize("role", ["cloud", "edge"])
def test_an_engine_that_does_not_come_up_is_a_fault(role: Role) -> None:
    host = engine()
    at = context(host, role=role)
    applied(at, SETTINGS, role)
    host.answers["docker", "version", "--format", "{{.Server.Version}}"] = lambda _: CommandResult(1, "", "down")
    (plan,) = plan_site(at, SETTINGS)
    assert (plan.state, plan.findings[-1].id) == ("faulty", "engine-silent")


def test_flags_of_the_unit_and_of_its_environment_are_seen() -> None:
    at: StepContext = context(engine())
    host = at.host
    assert isinstance(host, MemoryHost)
    host.files["/etc/sysconfig/docker"] = b"# ours\nOPTIONS='--log-driver=journald --debug'\n"
    host.answers[SHOW] = says(
        "ExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// $OPTIONS ${MORE} ; ignore_errors=no }\n"
        "Environment=MORE=--mtu=1400 'A=b c'\n"
        "EnvironmentFiles=/etc/sysconfig/docker (ignore_errors=yes)\n"
    )
    assert engine_flags(host) == {
        "hosts": ("fd://",),
        "log-driver": ("journald",),
        "debug": ("",),
        "mtu": ("1400",),
    }
    applied(at, SETTINGS)
    written = json.loads(host.files[DAEMON_JSON])
    assert not {"log-driver", "log-opts", "mtu"} & written.keys()


def test_a_silent_engine_beside_an_api_server_waits_too() -> None:
    host = engine(b'{"live-restore": false}')
    host.answers["docker", "ps", "--quiet", "--filter", "name=kube-apiserver"] = lambda _: CommandResult(124, "", "")
    assert not runs_the_control_plane(host)
    host.running.append(Process(9, "kube-apiserver", "S", "/usr/local/bin/kube-apiserver"))
    assert runs_the_control_plane(host)
