"""KubeEdge's steps on the cloud host: planned, applied, again, undone; and what the real programs taught of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.host.interface import CommandResult, Process
from bundler.manifest.yaml_edit import read_plain, value_at
from bundler.site.kubectl import Kubectl
from bundler.site.kubeedge_places import (
    CERTGEN,
    CLOUDCORE,
    CLOUDCORE_YAML,
    CLUSTER_CA,
    CLUSTER_CA_KEY,
    KUBEEDGE,
    STREAM_CA,
    STREAM_CERT,
    STREAM_KEY,
)
from bundler.site.roles import CLOUD
from bundler.site.step_plan import plan_site
from bundler.site.steps.kubeedge_files import CloudFiles
from tests.stand_ins.kubeedge_programs import kubeedge_files
from tests.unit.site.kubeedge_host import AUTHORITY, CA_HASH, KUBECONFIG, KubeEdgeHost, answer, cloud_host
from tests.unit.site.sites import SITE, applied, context, undone

if TYPE_CHECKING:
    from bundler.site.step import StepContext

BUNDLED = kubeedge_files(b"cloudcore", b"edgecore")
STEPS = CLOUD[[step.name for step in CLOUD].index("kubeedge-files") :]
NAMES = ["kubeedge-files", "keadm-init", "stream-certs", "cloudcore-config", "cloudcore-service", "ports"]
INIT = "deprecated init --kubeedge-version=1.11.1 --advertise-address=198.51.100.1,192.0.2.1"
CHECKSUM = "kubeedge/checksum_kubeedge-v1.11.1-linux-amd64.tar.gz.txt"


def master(
    host: KubeEdgeHost | None = None, *, files: dict[str, bytes] | None = None
) -> tuple[KubeEdgeHost, StepContext]:
    host = host or cloud_host()
    return host, context(host, files={**BUNDLED, **(files or {})})


def step(name: str) -> tuple[Any, ...]:
    return tuple(one for one in STEPS if one.name == name)


def refused(at: StepContext, *names: str) -> SiteError:
    with pytest.raises(SiteError) as raised:
        applied(at, tuple(one for one in STEPS if one.name in names) if names else STEPS)
    return raised.value


def setting(host: KubeEdgeHost, *path: str) -> Any:
    return value_at(read_plain(host.files[CLOUDCORE_YAML]), path)


def test_a_fresh_host_shows_every_step() -> None:
    host, at = master()
    before = dict(host.files)
    plans = plan_site(at, STEPS)
    assert [(plan.name, plan.state) for plan in plans] == [(name, "to-do") for name in NAMES]
    text = "\n".join(line for plan in plans for change in plan.changes for line in (change.title, *change.lines))
    assert f"keadm {INIT} --kube-config=/root/.kube/config" in text
    assert "modules.cloudStream.enable: true" in text
    assert "CLOUDCOREIPS='198.51.100.1 192.0.2.1' /etc/kubeedge/certgen.sh stream" in text
    assert "wait for cloudcore on 10000, 10002, 10003, 10004, for at most 30 s" in text
    assert (host.files, host.ran, host.calls) == (before, [], [])


def test_once_is_enough_and_undoing_gives_every_byte_back() -> None:
    host, at = master()
    before, modes = dict(host.files), dict(host.modes)
    applied(at, STEPS)
    assert host.files["/usr/local/bin/keadm"] == BUNDLED["kubeedge/keadm"]
    assert (host.modes["/usr/local/bin/keadm"], host.modes[CERTGEN], host.modes[STREAM_KEY]) == (0o755, 0o755, 0o600)
    assert setting(host, "modules", "cloudStream", "enable") is True
    assert setting(host, "modules", "cloudHub", "advertiseAddress") == ["198.51.100.1", "192.0.2.1"]
    assert host.active == host.enabled == {"cloudcore.service"}
    assert len([one for one in host.running if one.name == "cloudcore"]) == 1
    ran, calls = len(host.ran), len(host.calls)
    assert applied(at, STEPS) == []
    assert [plan.state for plan in plan_site(at, STEPS)] == ["done"] * len(NAMES)
    assert (len(host.ran), calls) == (ran, 1)
    undone(at, STEPS)
    left = {path: data for path, data in host.files.items() if not path.startswith("/var/lib/kubeedge-bundler/")}
    assert left == before
    assert {path: host.modes[path] for path in modes} == modes
    assert (host.active, host.enabled, host.running) == (set(), set(), [])
    # systemd knows no unit any more whose file is gone
    assert host.loaded == {}
    # not even keadm's, which deletes casecret
    assert host.secrets["casecret"] == {"cadata": AUTHORITY}


def test_undoing_has_a_cloudcore_that_ran_before_run_as_it_did() -> None:
    host, at = master()
    applied(at, STEPS)
    host.files[CLOUDCORE_YAML] = host.files[CLOUDCORE_YAML].replace(b"192.0.2.1", b"192.0.2.99")
    for path in [path for path in host.files if path.startswith("/var/lib/kubeedge-bundler/")]:
        del host.files[path]
    before = dict(host.files)
    assert "systemctl restart cloudcore.service" in "\n".join(applied(at, STEPS))
    assert host.files != before
    host.ready = False
    with pytest.raises(SiteError, match="refused"):
        # a cloudcore that is started without its secret makes a new authority
        undone(at, STEPS)
    host.ready = True
    undone(at, STEPS)
    left = {path: data for path, data in host.files.items() if not path.startswith("/var/lib/kubeedge-bundler/")}
    assert left == before
    assert host.active == host.enabled == {"cloudcore.service"}
    assert [one.name for one in host.running].count("cloudcore") == 1


def test_it_is_not_started_where_nobody_can_tell_whether_one_runs_in_the_cluster() -> None:
    host, at = master()
    command = Kubectl(KUBECONFIG, 10).command("-n", "kubeedge", "get", "pods", "-l", "kubeedge=cloudcore", "-o", "name")
    host.failing[command] = CommandResult(1, "", "Error from server (Forbidden): pods is forbidden\n")
    assert "whether one runs in the cluster" in refused(at).what


def test_nothing_else_of_the_bundle_is_copied() -> None:
    host, at = master()
    applied(at, (CloudFiles(),))
    made = {path for path in host.files if path.startswith(KUBEEDGE)}
    assert len(made) == 4 + 6
    assert f"{KUBEEDGE}/edgecore.service" not in made


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"A" * 128 + b"\n", "upper-case digits"),
        (b"a" * 128 + b"  kubeedge.tar.gz\n", "more than the digits"),
        (b"", "no SHA-512"),
    ],
)
def test_a_checksum_that_keadm_would_ask_about_is_refused_before(text: bytes, problem: str) -> None:
    host, at = master(files={CHECKSUM: text})
    error = refused(at)
    assert (error.id, error.step, host.calls) == (ErrorId.SITE_UNMET, "kubeedge-files", [])
    assert problem in error.what


def test_what_the_bundle_lacks_is_named() -> None:
    host = cloud_host()
    at = context(host, files={path: data for path, data in BUNDLED.items() if "router_v1_rule.yaml" not in path})
    assert refused(at).where == "kubeedge/crds/router/router_v1_rule.yaml"
    assert refused(context(host)).what == "the bundle does not list it"


def test_another_machine_gets_its_own_files() -> None:
    host = cloud_host()
    host.machine_name = "aarch64"
    at = context(host, files=kubeedge_files(b"c", b"e", "arm64"))
    applied(at, (CloudFiles(),))
    assert f"{KUBEEDGE}/kubeedge-v1.11.1-linux-arm64.tar.gz" in host.files
    host.machine_name = "riscv64"
    assert refused(at).what == "there is no KubeEdge for riscv64"


@pytest.mark.parametrize("name", ["keadm-init", "cloudcore-service"])
def test_it_is_not_started_when_the_api_is_down_or_casecret_cannot_be_read(name: str) -> None:
    host, at = master()
    applied(at, STEPS[: NAMES.index(name)])
    host.running.clear()
    host.ready = False
    error = refused(at, name)
    assert (error.id, error.step) == (ErrorId.SITE_UNMET, name)
    assert "the Kubernetes API is not ready" in error.what
    host.ready = True
    host.secrets["casecret"] = None
    assert "secret casecret of namespace kubeedge cannot be read" in refused(at, name).what
    assert "cloudcore.service" not in host.active


def test_keadm_s_own_cloudcore_is_not_ended_when_the_unit_could_not_be_started() -> None:
    host, at = master()
    applied(at, STEPS[:4])
    (process,) = [one for one in host.running if one.name == "cloudcore"]
    host.files[STREAM_CERT] = b"broken"
    assert "is not signed by" in refused(at, "cloudcore-service").what
    assert process in host.running


def test_only_keadm_s_own_cloudcore_is_ended_and_a_dead_one_does_not_count() -> None:
    host, at = master()
    host.running += [Process(5, "cloudcore", "Z", ""), Process(6, "kube-apiserver", "S", "")]
    applied(at, STEPS)
    assert {one.pid for one in host.running} >= {5, 6}
    assert [line for line in host.ran if line.startswith("kill")] == ["kill -TERM 101"]


def test_one_that_does_not_end_is_not_killed() -> None:
    class Stubborn(KubeEdgeHost):
        def run(self, command: Any, **options: Any) -> CommandResult:
            return CommandResult(0, "", "") if command[0] == "kill" else KubeEdgeHost.run(self, command, **options)

    host, at = master(Stubborn(dict(cloud_host().files)))
    error = refused(at)
    assert error.what == "still runs 30 s after it was asked to end (process 101)"
    assert "cloudcore.service" not in host.active


def test_two_of_them_are_not_added_to() -> None:
    host, at = master()
    host.start("cloudcore")
    host.start("cloudcore")
    assert "two that start at once make two authorities" in refused(at).what
    assert host.calls == []


def test_its_secrets_are_kept_for_root_alone_before_it_is_restarted() -> None:
    host, at = master()
    applied(at, STEPS)
    (kept,) = [path for path in host.files if "/secrets/casecret-" in path]
    assert host.modes[kept] == 0o600
    assert b"cadata" in host.files[kept]
    assert all(AUTHORITY not in data for path, data in host.files.items() if path.endswith("journal.json"))


def test_a_second_init_loses_nothing_that_somebody_has_set() -> None:
    host, at = master()
    applied(at, STEPS)
    edited = host.files[CLOUDCORE_YAML].replace(b"nodeLimit: 1000", b"nodeLimit: 7")
    host.files[CLOUDCORE_YAML] = edited
    newer = replace(at, config=replace(SITE, kubeedge=replace(SITE.kubeedge, version="1.11.2")))
    for path in [path for path in host.files if path.startswith("/etc/kubeedge/") and "v1.11.1" in path]:
        host.files[path.replace("1.11.1", "1.11.2")] = host.files[path]
    for path in list(host.files):
        if path.startswith("/etc/kubeedge/kubeedge-v1.11.2-linux-amd64/"):
            del host.files[path]
    applied(newer, step("keadm-init"))
    assert setting(host, "modules", "cloudHub", "nodeLimit") == 7
    assert setting(host, "modules", "cloudStream", "enable") is False
    applied(newer, step("cloudcore-config"))
    assert host.files[CLOUDCORE_YAML] == edited


def test_a_failed_init_leaves_the_settings_as_they_were_and_tells_its_first_error() -> None:
    host, at = master()
    host.keadm_answers = answer("init-no-crds")
    error = refused(at)
    assert error.what == "keadm wants to download devices_v1alpha2_device.yaml and cannot: it is not in /etc/kubeedge"
    assert "kubeedge-files" in error.remedy
    assert CLOUDCORE_YAML not in host.files
    assert "Usage" not in str(error)


def test_a_failed_certgen_leaves_the_working_pair_and_nothing_stray() -> None:
    host, at = master()
    applied(at, STEPS)
    pair = {path: host.files[path] for path in (STREAM_CA, STREAM_CERT, STREAM_KEY)}
    moved = replace(at, config=replace(SITE, hosts=(replace(SITE.cloud, address="192.0.2.2"), *SITE.edges)))
    host.certgen_fails = True
    error = refused(moved, "stream-certs")
    assert (error.id, error.step) == (ErrorId.SITE_STEP_FAILED, "stream-certs")
    assert {path: host.files[path] for path in pair} == pair
    stray = [path for path in host.files if path.startswith("/tmp/") or path.endswith(".srl") or "/stream/" in path]
    assert stray == []
    host.certgen_fails = False
    applied(moved, step("stream-certs"))
    assert b"192.0.2.2" in host.files[STREAM_CERT]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ({STREAM_CERT: b""}, "is missing or empty"),
        ({STREAM_KEY: b"key: other"}, "is not the key of"),
        ({CLUSTER_CA: b"another cluster"}, "is not the cluster's authority of now"),
    ],
)
def test_a_certificate_that_is_not_right_is_made_anew(spoil: dict[str, bytes], why: str) -> None:
    host, at = master()
    applied(at, STEPS)
    host.files |= spoil
    (plan,) = plan_site(at, step("stream-certs"))
    assert any(why in line for line in plan.changes[-1].lines)
    applied(at, STEPS)
    assert [plan.state for plan in plan_site(at, STEPS)] == ["done"] * len(NAMES)


def test_a_certificate_near_its_end_is_made_anew() -> None:
    host, at = master()
    applied(at, STEPS)
    host.files[STREAM_CERT] += b"ends: soon\n"
    (plan,) = plan_site(at, step("stream-certs"))
    assert "ends within 30 days" in plan.changes[-1].lines[-1]


def test_without_streams_there_is_no_certificate_and_two_ports() -> None:
    host, _ = master()
    del host.files[CLUSTER_CA_KEY]
    config = replace(SITE, kubeedge=replace(SITE.kubeedge, stream=False))
    at = context(host, config, files=BUNDLED)
    assert applied(at, STEPS)
    assert STREAM_CERT not in host.files
    assert plan_site(at, step("ports"))[0].title
    assert setting(host, "modules", "cloudStream", "enable") is False


def test_the_cluster_s_key_has_to_be_here() -> None:
    host, at = master()
    del host.files[CLUSTER_CA_KEY]
    assert refused(at).where == CLUSTER_CA_KEY


def test_the_ports_are_waited_for_and_the_last_words_are_shown() -> None:
    host, at = master()
    applied(at, STEPS)
    open_ports, host.ports = host.ports, set()

    def after_nine_seconds(there: Any) -> None:
        if there.time > begin + 9:
            there.ports = open_ports

    begin, host.pauses = host.time, after_nine_seconds
    assert applied(at, step("ports")) == ["wait for cloudcore on 10000, 10002, 10003, 10004"]
    host.ports, host.pauses, host.words = set(), None, "F1129 it has ended\n"
    error = refused(at, "ports")
    assert error.what == "after 30 s: nobody listens on 10000, 10002, 10003, 10004"
    assert error.problems == ("F1129 it has ended",)


def test_a_config_that_changed_is_started_with_once() -> None:
    host, at = master()
    applied(at, STEPS)
    config = replace(SITE, kubeedge=replace(SITE.kubeedge, router=True))
    changed = context(host, config, files=BUNDLED)
    titles = applied(changed, STEPS)
    assert titles[0] == f"edit {CLOUDCORE_YAML}"
    assert titles[-1] == "systemctl restart cloudcore.service"
    assert applied(changed, STEPS) == []


def test_the_token_s_authority_is_not_in_anything_that_is_kept() -> None:
    host, at = master()
    applied(at, STEPS)
    assert all(CA_HASH.encode() not in data for data in host.files.values())


def test_a_program_that_a_cut_of_the_power_left_empty_is_made_again() -> None:
    host, at = master()
    applied(at, STEPS)
    host.files[CLOUDCORE] = b""
    assert f"keadm {INIT} --kube-config=/root/.kube/config" in applied(at, STEPS)
    assert host.files[CLOUDCORE] == b"a program"
    assert applied(at, STEPS) == []
