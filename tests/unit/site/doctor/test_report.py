"""The doctor on a host in memory: a healthy site has no faults, and each trouble is named with what to do."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bundler.host.interface import CommandResult, HttpAnswer, Process
from bundler.site.doctor.cluster import TUNNEL_RECORD
from bundler.site.doctor.help_bundle import packed
from bundler.site.doctor.report import examine
from bundler.site.doctor.services import UNITS
from bundler.site.edits.node_affinity import EDGE_LABEL
from bundler.site.kubeedge_places import EDGE_CA
from bundler.site.registry_files import REGISTRY_CERTIFICATE
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.site.config.model import Role
    from bundler.site.step import StepFinding

NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
RUNS = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "NRestarts": "0",
}


def certificate(begin: dt.datetime, end: dt.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "KubeEdge")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


GOOD = certificate(NOW - dt.timedelta(days=1), NOW + dt.timedelta(days=365))
DER = x509.load_pem_x509_certificate(GOOD).public_bytes(serialization.Encoding.DER)
TOKEN = hashlib.sha256(DER).hexdigest() + ".eyJa.b.c"


def node(name: str, *, ready: str = "True", version: str = "v1.22.6-kubeedge-v1.11.1", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {EDGE_LABEL: "", **labels}},
        "status": {"conditions": [{"type": "Ready", "status": ready}], "nodeInfo": {"kubeletVersion": version}},
    }


class Cluster:
    """What kubectl answers; None for an API server that does not."""

    def __init__(self) -> None:
        self.nodes: Sequence[Mapping[str, Any]] = [node("edge1", zone="a"), node("edge2")]
        self.pods: Sequence[Mapping[str, Any]] = []
        self.ready = True
        self.secrets = {"casecret": DER, "tokensecret": TOKEN.encode()}
        self.tunnel: Mapping[str, Any] = {"ipTunnelPort": {"192.0.2.1": 10351}}

    def answer(self, words: Sequence[str]) -> CommandResult:
        if not self.ready:
            return CommandResult(1, "", "refused")
        if "/readyz" in words:
            return CommandResult(0, "ok", "")
        if "secret" in words:
            value = self.secrets.get(words[words.index("secret") + 1], b"")
            return CommandResult(0 if value else 1, base64.b64encode(value).decode(), "")
        if "configmap" in words:
            record = {"metadata": {"annotations": {TUNNEL_RECORD: json.dumps(self.tunnel)}}}
            return CommandResult(0, json.dumps(record), "")
        return CommandResult(0, json.dumps({"items": self.nodes if "nodes" in words else self.pods}), "")


class Clinic(MemoryHost):
    """A host whose systemd and cluster answer."""

    def __init__(self, role: Role, cluster: Cluster) -> None:
        super().__init__(host_name="master" if role == "cloud" else "edge1", time=NOW.timestamp())
        self.cluster = cluster
        self.units = {unit: dict(RUNS) for unit in UNITS[role]}
        self.rules = "-A TUNNEL-PORT -p tcp -m tcp --dport 10351 -j DNAT --to-destination 192.0.2.1:10003\n"

    def run(self, command: Sequence[str], **how: Any) -> CommandResult:
        if command[0] == "kubectl":
            return self.cluster.answer(command)
        if command[:2] == ("systemctl", "show"):
            unit = self.units.get(command[2])
            if unit is None:
                return CommandResult(1, "", "")
            return CommandResult(0, "".join(f"{name}={value}\n" for name, value in unit.items()), "")
        if command[0] == "iptables":
            return CommandResult(0, self.rules, "")
        return MemoryHost.run(self, command, **how)


def healthy(role: Role = "cloud") -> Clinic:
    host = Clinic(role, Cluster())
    host.answer = HttpAnswer(200, '{"status": "healthy", "components": [{"name": "core", "status": "healthy"}]}')
    ports = (10000, 10002, 10003, 10004)
    host.ports = {("192.0.2.1", 8088), ("198.51.100.1", 8088), ("master", 443), *(("0.0.0.0", port) for port in ports)}
    host.connections = {10000, 10004}
    host.running = [Process(1, "systemd", "S", ""), Process(7, "cloudcore", "S", "/usr/local/bin/cloudcore")]
    host.files[EDGE_CA] = GOOD
    return host


def findings(host: Clinic, role: Role = "cloud") -> dict[str, StepFinding]:
    at = context(host, role=role, files={"bundle.json": b"{}"})
    return {finding.id: finding for one in examine(at) for finding in one.findings}


@pytest.mark.parametrize("role", ["cloud", "edge"])
def test_a_healthy_site_has_no_findings(role: Role) -> None:
    assert findings(healthy(role), role) == {}


@pytest.mark.parametrize(
    ("change", "wanted", "words"),
    [
        (lambda h: h.units["cloudcore.service"].update(ActiveState="failed"), "unit-down", "failed"),
        (lambda h: h.units["docker.service"].update(LoadState="not-found"), "unit-missing", "not installed"),
        (lambda h: h.units["docker.service"].update(NRestarts="17"), "unit-restarts", "17 times"),
        (lambda h: h.units["cloudcore.service"].update(UnitFileState="disabled"), "unit-disabled", "at boot"),
        (lambda h: h.units.clear(), "systemd-silent", "says nothing"),
        (lambda h: h.running.append(Process(9, "cloudcore", "S", "")), "cloudcore-twice", "pid 7, pid 9"),
        (lambda h: h.ports.discard(("0.0.0.0", 10004)), "port-closed", "edges' tunnels"),
        (lambda h: h.files.update({EDGE_CA: b"x"}), "certificate-unreadable", "no certificate"),
        (
            lambda h: h.files.update({EDGE_CA: certificate(NOW - dt.timedelta(9), NOW - dt.timedelta(1))}),
            "certificate-ended",
            "ended on 2026-11-29",
        ),
        (
            lambda h: h.files.update({EDGE_CA: certificate(NOW - dt.timedelta(9), NOW + dt.timedelta(8))}),
            "certificate-near-end",
            "in 8 days",
        ),
        (
            lambda h: h.files.update({EDGE_CA: certificate(NOW + dt.timedelta(1), NOW + dt.timedelta(8))}),
            "certificate-early",
            "clock says 2026-11-30",
        ),
        (lambda h: setattr(h.cluster, "ready", False), "api-silent", "does not answer"),
        (lambda h: setattr(h.cluster, "nodes", [node("edge1", zone="a")]), "node-missing", "has not joined"),
        (lambda h: setattr(h.cluster, "nodes", [node("edge1"), node("edge2")]), "label-missing", "zone=a"),
        (
            lambda h: setattr(h.cluster, "nodes", [node("edge1", ready="Unknown", zone="a"), node("edge2")]),
            "node-not-ready",
            "is not Ready",
        ),
        (
            lambda h: setattr(h.cluster, "nodes", [node("edge1", version="v1.22.1", zone="a"), node("edge2")]),
            "version-differs",
            "runs v1.22.1",
        ),
        (lambda h: setattr(h.cluster, "nodes", [*h.cluster.nodes, node("edge9")]), "node-unknown", "does not name"),
        (
            lambda h: setattr(
                h.cluster,
                "pods",
                [
                    {
                        "metadata": {
                            "namespace": "kube-system",
                            "ownerReferences": [{"kind": "DaemonSet", "name": "flannel"}],
                        },
                        "spec": {"nodeName": "edge2"},
                    }
                ],
            ),
            "daemonset-on-edge",
            "stands on edge2",
        ),
        (lambda h: setattr(h, "rules", ""), "tunnel-rule", "10351"),
        (lambda h: setattr(h.cluster, "tunnel", {}), "tunnel-unknown", "names no port"),
        (lambda h: h.cluster.secrets.update(casecret=b"other"), "authority-changed", "nobody can join"),
        (lambda h: h.cluster.secrets.clear(), "secret-unreadable", "another authority"),
        (lambda h: setattr(h, "answer", HttpAnswer(503, "red")), "mirror-sick", "answers 503"),
        (lambda h: h.ports.discard(("master", 443)), "registry-sick", "does not answer"),
        (
            lambda h: setattr(
                h, "answer", HttpAnswer(200, '{"components": [{"name": "database", "status": "unhealthy"}]}')
            ),
            "harbor-sick",
            "database is unhealthy",
        ),
        (lambda h: setattr(h, "time", 86_400.0), "clock-wrong", "1970"),
        (lambda h: setattr(h, "free", 5), "disk-full", "0 MiB"),
        (lambda h: setattr(h, "host_name", "localhost"), "name-differs", "'localhost'"),
    ],
)
def test_each_trouble_is_named_with_what_to_do(change: Any, wanted: str, words: str) -> None:
    host = healthy()
    change(host)
    found = findings(host)
    assert wanted in found
    finding = found[wanted]
    assert words in finding.what
    assert finding.remedy
    assert finding.weight in ("fault", "note")


@pytest.mark.parametrize(
    ("change", "wanted", "words"),
    [
        (lambda h: h.connections.discard(10004), "not-connected", "the tunnel is not established"),
        (lambda h: h.running.append(Process(5, "kube-proxy", "S", "")), "forbidden-process", "pid 5"),
        (lambda h: h.running.append(Process(5, "kubelet", "Z", "")), "forbidden-process", "not reaped"),
        (lambda h: h.units["edgecore.service"].update(ActiveState="activating"), "unit-down", "activating"),
    ],
)
def test_edges_have_troubles_of_their_own(change: Any, wanted: str, words: str) -> None:
    host = healthy("edge")
    change(host)
    assert words in findings(host, "edge")[wanted].what


@pytest.mark.parametrize(
    ("role", "wanted"), [("cloud", "`name` in site.yaml"), ("edge", "`bundler site apply edge --only hostname`")]
)
def test_a_master_keeps_its_name_and_an_edge_gets_the_site_s(role: Role, wanted: str) -> None:
    host = healthy(role)
    host.host_name = "localhost"
    assert wanted in findings(host, role)["name-differs"].remedy


@pytest.mark.parametrize(
    ("path", "role", "wanted"),
    [
        ("/etc/kubernetes/pki/apiserver.crt", "cloud", "kubeadm"),
        (REGISTRY_CERTIFICATE, "cloud", "Run `bundler site apply cloud`."),
        ("/etc/kubeedge/certs/server.crt", "edge", "`bundler site invite --host edge1` on the master"),
    ],
)
def test_each_certificate_is_renewed_in_its_own_way(path: str, role: Role, wanted: str) -> None:
    host = healthy(role)
    host.files[path] = certificate(NOW - dt.timedelta(9), NOW + dt.timedelta(8))
    finding = findings(host, role)["certificate-near-end"]
    assert finding.where == path
    assert wanted in finding.remedy


def test_the_bundle_for_whoever_helps_has_no_secret_in_it() -> None:
    host = healthy()
    host.files["/etc/docker/daemon.json"] = b'{"live-restore": true}'
    host.files["/etc/kubeedge/config/cloudcore.yaml"] = b"modules:\n  token: " + TOKEN.encode() + b"\n"
    data = packed(context(host), {"schema": "x", "token": TOKEN}, b"version: 1\n")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        texts = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}
        assert {member.mode for member in tar} == {0o600}
    assert texts["site-master/files/etc/docker/daemon.json"] == b'{"live-restore": true}'
    assert b"live-restore" in b"".join(texts.values())
    assert TOKEN.encode() not in b"".join(texts.values())
    assert {
        "site-master/report.json",
        "site-master/site.yaml",
        "site-master/logs/cloudcore.service.txt",
    } <= texts.keys()


@pytest.mark.parametrize("text", ["5", "null", '{"components": 7}', '{"components": [7, null, "x"]}', "[" * 200_000])
def test_a_harbor_that_answers_something_else_is_not_called_sick(text: str) -> None:
    host = healthy()
    host.answer = HttpAnswer(200, text)
    assert "harbor-sick" not in findings(host)
