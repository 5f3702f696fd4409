"""What a host lacks is told at once, each thing in its own words; what the guide left is recognised."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.host.interface import CommandResult, HttpAnswer, Process
from bundler.site.leftovers import leftovers
from bundler.site.step import SiteBundle, StepContext
from bundler.site.step_plan import plan_site
from bundler.site.steps.cloud_preflight import CloudPreflight
from bundler.site.steps.edge_preflight import EdgePreflight
from bundler.site.steps.hosts import HostNames
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import EDGE1, EDGE2, SITE, applied, context, undone

if TYPE_CHECKING:
    from bundler.site.config.model import Role

READY = ("kubectl", "--kubeconfig=/root/.kube/config", "--request-timeout=10s", "get", "--raw", "/readyz")
CLOUD = "198.51.100.1"


def healthy(**given: object) -> MemoryHost:
    host = MemoryHost(
        {"/usr/bin/yum": b"", "/root/.kube/config": b"", "/etc/hosts": b"127.0.0.1 localhost\n"},
        directories={"/run/systemd/system"},
        ports={(CLOUD, port) for port in (10000, 10002, 10004, 8088)},
        answer=HttpAnswer(200, "{}", 1_790_000_001.0),
    )
    for name, value in given.items():
        setattr(host, name, value)
    return host


def on(host: MemoryHost, role: Role) -> StepContext:
    return context(host, role=role)


def found(host: MemoryHost, role: Role = "edge", at: StepContext | None = None) -> dict[str, str]:
    """Return id -> what is said. An edge reaches cloudcore's ports, which nobody has to hold on the cloud host."""
    step = CloudPreflight() if role == "cloud" else EdgePreflight()
    if role == "cloud" and not host.holders:
        host.ports = set()
    return {finding.id: f"{finding.weight}: {finding.text}" for finding in step.unmet(at or on(host, role))}


@pytest.mark.parametrize("role", ["cloud", "edge"])
def test_a_host_that_has_everything_is_done_and_nothing_is_changed(role: Role) -> None:
    host = healthy()
    assert found(host, role) == {}
    step = CloudPreflight() if role == "cloud" else EdgePreflight()
    (plan,) = plan_site(on(host, role), (step,))
    assert (plan.state, plan.changes) == ("done", ())
    assert applied(on(host, role), (step,), role) == []
    assert undone(on(host, role), (step,), role) == []
    assert host.files == healthy().files


def test_everything_that_is_missing_is_told_at_once() -> None:
    host = MemoryHost(root=False, time=1000.0, free=10**9)
    text = found(host, "cloud", replace(on(host, "cloud"), bundle=SiteBundle()))
    assert {"not-root", "no-systemd", "no-package-manager", "bundle-missing", "clock-wrong", "disk-full"} <= set(text)
    assert text["not-root"].startswith("unmet: this is not root")
    assert text["clock-wrong"].startswith("unmet: this host's clock is wrong by years")
    assert "/var/lib: has room for 0.9 GiB, and 2 GiB are wanted" in text["disk-full"]
    assert text["no-package-manager"].startswith("note: ")


def test_the_machine_is_held_to_the_bundle_and_to_the_site() -> None:
    host = healthy(machine_name="aarch64")
    at = on(host, "edge")
    text = found(host, at=replace(at, bundle=replace(at.bundle, machines=("x86_64", "armv7l"))))
    assert "this host is an aarch64, and the bundle is for x86_64, armv7l" in text["machine-unfit"]
    assert "the site says that edge1 is an x86_64" in text["machine-differs"]
    assert found(host, at=replace(at, this=EDGE2)) == {}


def test_programs_that_keadm_runs() -> None:
    def missing(host: MemoryHost) -> CommandResult:
        del host
        return CommandResult(0, "wget\nsudo\n", "")

    host = healthy()
    names = ("sh", "tar", "wget", "sudo", "pidof", "ps", "awk", "systemctl")
    script = 'for name; do command -v "$name" >/dev/null || echo "$name"; done'
    host.answers["sh", "-c", script, "sh", *names] = missing
    assert "keadm runs wget, sudo, which" in found(host, "cloud")["commands-missing"]
    commands = CloudPreflight().unmet(context(host, files={"yum/wget-1-1.x86_64.rpm": b""}))
    assert any("`yum -y '--disablerepo=*' '--enablerepo=bundler-site*' install NAME`" in one.remedy for one in commands)
    # the step tools brings one of them
    at = context(host, role="edge", files={"yum/wget-1-1.x86_64.rpm": b""})
    assert "keadm runs sudo, which" in found(host, at=at)["commands-missing"]
    host.answers["sh", "-c", script, "sh", "kubectl"] = lambda _: CommandResult(0, "kubectl\n", "")
    assert "kubectl-missing" in found(host, "cloud")


def test_ports_of_cloudcore_are_free_or_its_own() -> None:
    host = healthy(
        holders={10000: 7, 10002: 8, 10004: 0}, running=[Process(7, "cloudcore", "S", ""), Process(8, "nc", "S", "")]
    )
    findings = CloudPreflight().unmet(on(host, "cloud"))
    assert [(one.where, one.what) for one in findings if one.id == "port-taken"] == [
        ("port 10002", "nc (8) listens on it"),
        ("port 10004", "another program listens on it"),
    ]
    host.root = False
    weights = {one.where: one.weight for one in CloudPreflight().unmet(on(host, "cloud")) if one.id == "port-taken"}
    assert weights == {"port 10002": "unmet", "port 10004": "note"}


def test_the_cluster_answers_with_the_site_s_kubeconfig() -> None:
    host = healthy()
    host.answers[READY] = lambda _: CommandResult(1, "", "warning\nThe connection to the server was refused\n")
    assert "The connection to the server was refused" in found(host, "cloud")["cluster-not-ready"]
    del host.files["/root/.kube/config"]
    assert found(host, "cloud")["kubeconfig-missing"].startswith("unmet: /root/.kube/config: does not exist")
    host.root = False
    assert set(found(host, "cloud")) == {"not-root"}


def test_swap_and_room_for_harbor_are_notes() -> None:
    host = healthy(free=10 * 1024**3)
    host.files["/proc/swaps"] = b"Filename Type Size Used Priority\n/dev/sda2 partition 2097148 0 -2\n"
    text = found(host, "cloud")
    assert text["swap-on"].startswith("note: /proc/swaps: swap is on (/dev/sda2)")
    assert text["harbor-room"].startswith("note: /data: has room for 10 GiB")
    host.files["/proc/swaps"] = b"Filename Type Size Used Priority\n"
    assert "swap-on" not in found(host, "cloud")


def test_edgecore_s_forbidden_neighbours_are_found_by_their_names_the_dead_ones_too() -> None:
    host = healthy(
        running=[
            Process(5, "kubelet", "S", "/usr/bin/kubelet"),
            Process(6, "kube-proxy", "S", ""),
            Process(7, "kube-proxy", "Z", ""),
            Process(8, "kube-proxy2", "S", ""),
        ]
    )
    findings = EdgePreflight().unmet(on(host, "edge"))
    assert [(one.id, one.where) for one in findings] == [
        ("process-forbidden", "process 5"),
        ("process-forbidden", "process 6"),
        ("zombie", "process 7"),
    ]
    assert "systemctl disable --now kubelet" in findings[0].remedy
    assert "restart this host" in findings[2].remedy


def test_an_edge_reaches_the_cloud_where_the_site_says() -> None:
    host = healthy(ports={(CLOUD, 10000), (CLOUD, 8088)})
    text = found(host)
    assert f"{CLOUD}: nothing answers on port 10002, 10004" in text["cloud-unreachable"]
    quiet = replace(SITE, kubeedge=replace(SITE.kubeedge, stream=False))
    assert "on port 10002:" in found(host, at=context(host, quiet, role="edge"))["cloud-unreachable"]
    host.ports = set()
    assert f"http://{CLOUD}:8088: the mirror does not answer" in found(host)["mirror-unreachable"]


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, None),
        (20, None),
        (100, "note: this host's clock is 100 s ahead of the cloud host's"),
        (-4000, "unmet: this host's clock is 4000 s behind the cloud host's"),
    ],
)
def test_the_skew_of_the_clock_is_named(seconds: float, says: str | None) -> None:
    host = healthy()
    host.answer = HttpAnswer(200, "", host.time - seconds)
    text = found(host).get("clock-skew")
    assert (text or "").startswith(says or "")
    assert (text is None) == (says is None)


def test_a_name_that_no_node_can_have_is_noted_and_a_host_that_was_renamed_is_refused() -> None:
    host = healthy(host_name="Edge_One")
    assert found(host)["host-name-unfit"].startswith("note: this host is called 'Edge_One'")
    applied(on(host, "edge"), (HostNames(),), "edge")
    at = replace(on(host, "edge"), this=EDGE2)
    assert (
        "this host was set up as edge1, and is to be edge2 now"
        in found(host, at=replace(at, this=replace(EDGE1, name="edge2")))["host-renamed"]
    )


def test_the_guide_s_traces_are_recognised() -> None:
    host = healthy(running=[Process(9, "vsftpd", "S", "/usr/sbin/vsftpd")])
    host.files |= {
        "/etc/docker/daemon.json": b'{"a": 1}\n{"live-restore": true}\n',
        "/etc/kubeedge/top.so": b'export CLOUDCOREIPS="1"\n',
        "/media/CentOS-Base.repo": b"",
        "/etc/yum.repos.d/dcoker.repo": b"[docker]\nbaseurl=ftp://master/yum\ngpgcheck = 0\n",
        "/etc/yum.repos.d/local.repo": b"[mine]\ngpgcheck=1\n",
        "/etc/vsftpd/vsftpd.conf": b"anonymous_enable=YES\nanon_root=/opt\n",
    }
    findings = CloudPreflight().unmet(context(host))
    assert {(one.id, one.where, one.weight) for one in findings if one.id != "port-taken"} == {
        ("daemon-json-twice", "/etc/docker/daemon.json", "note"),
        ("top-so", "/etc/kubeedge/top.so", "note"),
        ("repositories-moved", "/media", "note"),
        ("guide-repository", "/etc/yum.repos.d/dcoker.repo", "note"),
        ("vsftpd", "/etc/vsftpd/vsftpd.conf", "note"),
    }
    for path, content in (("/etc/docker/daemon.json", b'{"a": 1}\n'), ("/etc/docker/daemon.json", b"{")):
        host.files[path] = content
        assert "daemon-json-twice" not in found(host)
    assert "vsftpd runs" in found(MemoryHost(running=[Process(9, "vsftpd", "S", "")]))["vsftpd"]


def test_a_daemon_json_that_is_nested_without_end_ends_nothing() -> None:
    host = MemoryHost({"/etc/docker/daemon.json": b"[" * 100_000})
    assert not list(leftovers(context(host)))
