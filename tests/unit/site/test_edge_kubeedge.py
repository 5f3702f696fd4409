"""KubeEdge's steps on an edge: planned, applied, again, undone; and what the real programs taught of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.host.interface import CommandResult
from bundler.manifest.yaml_edit import read_plain, value_at
from bundler.site.kubeedge_places import (
    EDGE_CA,
    EDGE_CERT,
    EDGE_KEY,
    EDGECORE,
    EDGECORE_YAML,
    KUBEEDGE,
    STREAM_KEY,
)
from bundler.site.roles import EDGE
from bundler.site.step import ApplyOptions
from bundler.site.step_plan import plan_site
from tests.stand_ins.kubeedge_programs import kubeedge_files
from tests.stand_ins.recordings import recording
from tests.unit.site.kubeedge_host import CA_HASH, TREE, KubeEdgeHost, answer, edge_host, token_text
from tests.unit.site.sites import SITE, applied, context, undone

if TYPE_CHECKING:
    from bundler.site.config.model import SiteConfig
    from bundler.site.step import StepContext

BUNDLED = kubeedge_files(b"cloudcore", b"edgecore")
STEPS = EDGE[[step.name for step in EDGE].index("kubeedge-files") :]
NAMES = ["kubeedge-files", "old-certs", "mosquitto", "pause", "keadm-join", "edgecore-config", "tunnel"]
TOKEN_FILE = "/root/token"
UNIT = "/etc/systemd/system/edgecore.service"


def edge(host: KubeEdgeHost | None = None, config: SiteConfig = SITE, *, token: str = "") -> tuple[Any, StepContext]:
    host = host or edge_host()
    host.files[TOKEN_FILE] = (token or token_text(host.time + 3600)).encode() + b"\n"
    host.modes[TOKEN_FILE] = 0o600
    options = ApplyOptions(token_file=TOKEN_FILE)
    return host, context(host, config, role="edge", files=BUNDLED, options=options)


def refused(at: StepContext) -> SiteError:
    with pytest.raises(SiteError) as raised:
        applied(at, STEPS, "edge")
    return raised.value


def setting(host: KubeEdgeHost, *path: str) -> Any:
    return value_at(read_plain(host.files[EDGECORE_YAML]), path)


def test_a_fresh_edge_shows_every_step_and_no_token() -> None:
    host, at = edge()
    before = dict(host.files)
    plans = plan_site(at, STEPS)
    states = {plan.name: plan.state for plan in plans}
    assert states == {**dict.fromkeys(NAMES, "to-do"), "old-certs": "done", "mosquitto": "done"}
    text = "\n".join(line for plan in plans for change in plan.changes for line in (change.title, *change.lines))
    call = (
        "keadm deprecated join --cloudcore-ipport=198.51.100.1:10000 --kubeedge-version=1.11.1 --edgenode-name=edge1 "
        "--cgroupdriver=cgroupfs --labels=zone=a --token=(not shown)"
    )
    assert call in text
    assert "modules.serviceBus.enable: true" in text
    assert CA_HASH not in text
    assert (host.files, host.ran, host.calls) == (before, [], [])


def test_once_is_enough_and_undoing_gives_every_byte_back() -> None:
    host, at = edge()
    before = dict(host.files)
    applied(at, STEPS, "edge")
    assert host.active == host.enabled == {"edgecore.service"}
    assert (host.modes[EDGECORE_YAML], host.modes[EDGE_KEY]) == (0o600, 0o600)
    assert setting(host, "modules", "edgeStream", "enable") is True
    assert setting(host, "modules", "serviceBus", "enable") is True
    assert setting(host, "modules", "metaManager", "metaServer", "enable") is False
    assert setting(host, "modules", "edged", "podSandboxImage") == "master/kubeedge/pause:3.1"
    ran = len(host.ran)
    # a token is wanted for a join alone
    again = context(host, role="edge", files=BUNDLED)
    assert applied(again, STEPS, "edge") == []
    assert [plan.state for plan in plan_site(again, STEPS)] == ["done"] * len(NAMES)
    assert (len(host.ran), len(host.calls)) == (ran, 1)
    undone(at, STEPS, "edge")
    assert host.files == before
    assert (host.active, host.enabled, host.loaded) == (set(), set(), {})
    assert [one.name for one in host.running] == ["mosquitto"]


def test_undoing_has_an_edge_that_ran_before_run_as_it_did() -> None:
    host, at = edge()
    applied(at, STEPS, "edge")
    for path in [path for path in host.files if path.startswith("/var/lib/kubeedge-bundler/")]:
        del host.files[path]
    # an edge of another cloud host, set up by other hands
    host.files[EDGE_CA] = host.files[EDGE_CA].replace(b"CERTIFICATE", b"X509 CERTIFICATE")
    before = dict(host.files)
    applied(at, STEPS, "edge")
    assert host.files != before
    assert applied(at, STEPS, "edge") == []
    undone(at, STEPS, "edge")
    assert host.files == before
    assert host.active == host.enabled == {"edgecore.service"}
    assert [one.name for one in host.running].count("edgecore") == 1


def test_nothing_of_the_master_s_is_copied() -> None:
    host, at = edge()
    applied(at, STEPS[:1], "edge")
    made = sorted(path.rpartition("/")[2] for path in host.files if path.startswith(KUBEEDGE))
    assert made == [
        "checksum_kubeedge-v1.11.1-linux-amd64.tar.gz.txt",
        "edgecore.service",
        "kubeedge-v1.11.1-linux-amd64.tar.gz",
    ]


def test_the_token_is_in_argv_of_the_join_and_in_edgecore_yaml_alone() -> None:
    token = token_text(1_790_003_600.0)
    host, at = edge(token=token)
    applied(at, STEPS, "edge")
    holders = {path for path, data in host.files.items() if token.encode() in data}
    originals = {path for path in holders if "/originals/" in path}
    assert holders - originals == {TOKEN_FILE, EDGECORE_YAML}
    assert {host.modes[path] for path in originals} <= {0o600}
    assert f"--token={token}" in host.calls[0]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda host: host.modes.update({TOKEN_FILE: 0o644}), "others may read it (mode 0644)"),
        (lambda host: host.files.pop(TOKEN_FILE), "does not exist"),
        (lambda host: host.files.update({TOKEN_FILE: b"abc"}), "it is no join token"),
        (lambda host: setattr(host, "time", host.time + 3 * 86400), "it has ended 3 days ago"),
        (lambda host: setattr(host, "time", 0.0), "the clock of this host is slow by at least 20717 days"),
    ],
)
def test_a_token_that_cannot_be_used_is_told_before_anything_is_tried(spoil: Any, problem: str) -> None:
    host, at = edge()
    spoil(host)
    error = refused(at)
    assert (error.id, error.step, host.calls) == (ErrorId.SITE_UNMET, "keadm-join", [])
    assert problem in error.what


def test_without_a_token_it_says_how_to_get_one() -> None:
    host, _ = edge()
    error = refused(context(host, role="edge", files=BUNDLED))
    assert "bundler site token" in error.remedy
    assert host.calls == []


def test_the_cloud_and_the_engine_have_to_answer() -> None:
    host, at = edge()
    host.ports, host.driver = {("198.51.100.1", 10000)}, ""
    error = refused(at)
    assert error.where == "198.51.100.1:10002"
    assert any("engine does not answer" in problem for problem in error.problems)


def test_a_wrong_token_is_told_although_keadm_says_that_it_runs() -> None:
    host, at = edge(token=token_text(1_790_003_600.0, "0000" * 16))
    error = refused(at)
    assert (error.id, error.step) == (ErrorId.SITE_STEP_FAILED, "keadm-join")
    assert f"the cloud's authority ({CA_HASH[:4]}" not in error.what
    assert "is not the one that the token names (0000" in error.what
    assert "bundler site token" in error.remedy
    # a fresh one mends it
    host.words = ""
    host, at = edge(host)
    assert applied(at, STEPS, "edge")
    assert host.active == {"edgecore.service"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("edgecore-with-kube-proxy-process", "Stop kubelet and kube-proxy"),
        ("edgecore-cgroup-mismatch", "Run the same command again"),
        ("edgecore-docker-down", "Start the engine"),
    ],
)
def test_what_ends_edgecore_is_told_with_what_to_do(name: str, words: str) -> None:
    host, at = edge()
    host.words = recording(name).stdout.partition("rc=")[0]
    error = refused(at)
    assert error.what.startswith("edgecore has ended: ")
    assert words in error.remedy


def test_certificates_of_an_earlier_join_are_set_aside_and_come_back() -> None:
    host, at = edge()
    old = {
        EDGE_CA: b"another authority",
        EDGE_CERT: b"another",
        EDGE_KEY: b"other key",
        EDGECORE_YAML: b"modules: {}\n",
    }
    host.files |= old
    before = dict(host.files)
    applied(at, STEPS, "edge")
    assert host.files[EDGE_CERT] == b"a certificate"
    undone(at, STEPS, "edge")
    assert {path: host.files[path] for path in old} == old
    left = {path: data for path, data in host.files.items() if not path.startswith("/var/lib/kubeedge-bundler/")}
    assert left == before


def test_an_authority_that_the_token_does_not_name_is_left_for_a_new_join() -> None:
    host, at = edge()
    applied(at, STEPS, "edge")
    host.files[EDGE_CA] = b"of another cloud"
    plans = plan_site(at, STEPS)
    assert {plan.name for plan in plans if plan.state == "to-do"} >= {"old-certs", "keadm-join"}
    applied(at, STEPS, "edge")
    assert len(host.calls) == 2
    assert [plan.state for plan in plan_site(at, STEPS)] == ["done"] * len(NAMES)


def test_an_edge_of_another_cloud_joins_anew_with_its_unit_in_the_way() -> None:
    host, at = edge()
    applied(at, STEPS, "edge")
    moved = replace(SITE, hosts=(replace(SITE.cloud, reached_at=("198.51.100.9",)), *SITE.edges))
    host.ports |= {("198.51.100.9", 10000), ("198.51.100.9", 10002)}
    host.files[EDGECORE_YAML] = host.files[EDGECORE_YAML].replace(b"heartbeat: 15", b"heartbeat: 20")
    host, at = edge(host, moved)
    applied(at, STEPS, "edge")
    assert setting(host, "modules", "edgeHub", "httpServer") == "https://198.51.100.9:10002"
    assert setting(host, "modules", "edgeHub", "heartbeat") == 20
    assert setting(host, "modules", "edgeStream", "enable") is True
    assert [plan.state for plan in plan_site(at, STEPS)] == ["done"] * len(NAMES)
    undone(at, STEPS, "edge")
    assert EDGECORE_YAML not in host.files
    assert UNIT not in host.files


def test_a_unit_that_others_made_comes_back() -> None:
    host, at = edge()
    host.files[UNIT] = b"somebody's"
    before = dict(host.files)
    applied(at, STEPS, "edge")
    assert host.files[UNIT] == BUNDLED["kubeedge/edgecore.service"]
    undone(at, STEPS, "edge")
    assert host.files == before


def test_a_link_across_mounts_is_put_right() -> None:
    host, at = edge()
    host.link = "Invalid cross-device link"
    titles = applied(at, STEPS, "edge")
    assert f"copy {KUBEEDGE}/edgecore.service to {UNIT}" in titles
    assert host.active == host.enabled == {"edgecore.service"}


def test_a_failed_join_leaves_the_settings_as_they_were() -> None:
    host, at = edge()
    host.files[EDGECORE_YAML] = before = b"modules: {}\n"
    host.keadm_answers = answer("join-no-tarball")
    error = refused(at)
    assert "keadm wants to download kubeedge-v1.11.1-linux-amd64.tar.gz" in error.what
    assert host.files[EDGECORE_YAML] == before
    host.keadm_answers = CommandResult(124, "checksum failed and do you want to delete\n[y/N]", "", stopped=True)
    assert "keadm asks, and nobody is there to answer: checksum failed" in refused(at).what


def test_the_driver_is_the_engine_s() -> None:
    host, at = edge()
    host.driver = "systemd"
    applied(at, STEPS, "edge")
    assert setting(host, "modules", "edged", "cgroupDriver") == "systemd"
    host.driver = "cgroupfs"
    assert applied(at, STEPS, "edge") == [f"edit {EDGECORE_YAML}", "systemctl restart edgecore.service"]


def test_mosquitto_is_installed_and_runs_before_keadm_looks() -> None:
    host, at = edge()
    host.running.clear()
    plans = {plan.name: plan for plan in plan_site(at, STEPS)}
    assert (plans["mosquitto"].state, plans["mosquitto"].findings[0].id) == ("unmet", "package-missing")
    at = context(host, role="edge", files={**BUNDLED, "yum/mosquitto-1.6.10-1.el7.x86_64.rpm": b""}, options=at.options)
    assert applied(at, STEPS[:3], "edge")[-2:] == ["install mosquitto", "systemctl enable --now mosquitto.service"]
    assert "packages stay installed: mosquitto" in " ".join(undone(at, STEPS, "edge"))


def test_the_sandbox_image_may_be_named_otherwise() -> None:
    named = replace(SITE, kubeedge=replace(SITE.kubeedge, pause="registry.plant:5000/pause:3.5"))
    host, at = edge(config=named)
    applied(at, STEPS, "edge")
    assert "docker pull registry.plant:5000/pause:3.5" in host.ran
    project = replace(SITE, registry=replace(SITE.registry, project="k8s"))
    host, at = edge(config=project)
    applied(at, STEPS, "edge")
    assert "docker pull master/k8s/pause:3.1" in host.ran
    # into the mirror's registry nothing is pushed: a project changes none of its names
    served = replace(SITE, registry=replace(SITE.registry, project="k8s", kind="mirror"))
    host, at = edge(config=served)
    applied(at, STEPS, "edge")
    assert "docker pull master:8088/kubeedge/pause:3.1" in host.ran


def test_the_master_s_key_on_an_edge_is_noted() -> None:
    host, at = edge()
    host.files[STREAM_KEY] = b"the master's"
    plans = {plan.name: plan for plan in plan_site(at, STEPS)}
    assert plans["old-certs"].findings[0].id == "master-s-files-here"


def test_a_tunnel_that_does_not_come_is_told() -> None:
    host, at = edge()
    applied(at, STEPS, "edge")
    host.connections = {10000}
    error = refused(at)
    assert (error.step, error.what) == ("tunnel", "after 60 s: no connection to port 10004 of the cloud host")


def test_an_interrupted_join_is_begun_again() -> None:
    host, at = edge()
    host.words = "I1129 it waits\n"
    assert refused(at).what.startswith("after 90 s: ")
    host.words = ""
    applied(at, STEPS, "edge")
    assert [plan.state for plan in plan_site(at, STEPS)] == ["done"] * len(NAMES)


def test_programs_that_a_cut_of_the_power_left_empty_are_no_join() -> None:
    host, at = edge()
    applied(at, STEPS, "edge")
    host.files[EDGECORE] = host.files[f"{TREE}/edge/edgecore"] = b""
    assert any(title.startswith("keadm deprecated join") for title in applied(at, STEPS, "edge"))
    assert applied(at, STEPS, "edge") == []


def test_a_file_of_settings_that_everybody_could_read_is_private_before_the_token_comes_into_it() -> None:
    class Watched(KubeEdgeHost):
        def _keadm(self, words: tuple[str, ...]) -> CommandResult:
            modes.append(self.modes[EDGECORE_YAML])
            return KubeEdgeHost._keadm(self, words)

    modes: list[int] = []
    plain = edge_host()
    host = Watched({EDGECORE_YAML: b"modules: {}\n"}, modes={EDGECORE_YAML: 0o644}, host_name="edge1")
    host.running, host.ports = plain.running, plain.ports
    host, at = edge(host)
    host.keadm_answers = CommandResult(1, "", "no\n")
    refused(at)
    # a failed call leaves the file as it was
    assert (modes, host.files[EDGECORE_YAML], host.modes[EDGECORE_YAML]) == ([0o600], b"modules: {}\n", 0o644)


def test_what_a_cut_of_the_power_left_of_a_join_does_not_come_back_at_undo() -> None:
    host, at = edge()
    before = dict(host.files)
    applied(at, STEPS, "edge")
    # written by edgecore, and not yet on the disk
    host.files[EDGE_CERT] = b""
    applied(at, STEPS, "edge")
    assert host.files[EDGE_CERT]
    undone(at, STEPS, "edge")
    assert {path: data for path, data in host.files.items() if "/originals/" not in path} == before


def test_an_image_that_was_pulled_and_cannot_be_used_is_not_taken_for_there() -> None:
    host, at = edge()
    image = "master/kubeedge/pause:3.1"
    inspected = ("docker", "image", "inspect", "--format={{.Id}}", image)
    host.failing[inspected] = CommandResult(1, "", "Error: layer does not exist\n")
    with pytest.raises(SiteError, match="cannot use it") as raised:
        applied(at, STEPS, "edge")
    assert (raised.value.step, raised.value.where) == ("pause", image)
    assert "lost power" in raised.value.remedy
    host.failing.clear()
    applied(at, STEPS, "edge")
    assert applied(at, STEPS, "edge") == []
