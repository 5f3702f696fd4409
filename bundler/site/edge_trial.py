"""Whether `kubectl logs` and `exec` reach the pods of each edge: the whole way over the tunnel, by trying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.edits.node_affinity import EDGE_LABEL
from bundler.site.kubectl import Kubectl, last_line, listed, mapping
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import CommandResult, Host
    from bundler.site.step import StepContext

_REQUEST_S = 30
# the command came to the edge, whose image has no such program
_CAME_THERE = ("executable file not found", "OCI runtime exec failed", "no such file or directory")
_REMEDY = tr("Look at `bundler site doctor` here and on that edge: the tunnel, its port and its rule.")


def edge_findings(at: StepContext) -> list[StepFinding]:
    """Try logs and exec of one running pod on each edge that has one; of the others a note says that none runs.

    Nothing is said without streams, and of edges that have not joined.
    """
    if not at.config.kubeedge.stream:
        return []
    kubectl = Kubectl(at.config.kubeedge.kubeconfig, request_s=_REQUEST_S)
    nodes = kubectl.run(at.host, "get", "nodes", "-l", EDGE_LABEL, "-o", "json")
    joined = {name for _, name in _named(nodes)}
    return [
        finding for edge in at.config.edges if edge.name in joined for finding in _tried(at.host, kubectl, edge.name)
    ]


def _tried(host: Host, kubectl: Kubectl, edge: str) -> list[StepFinding]:
    selector = f"spec.nodeName={edge},status.phase=Running"
    pods = _named(kubectl.run(host, "get", "pods", "--all-namespaces", f"--field-selector={selector}", "-o", "json"))
    if not pods:
        return [
            StepFinding("no-pod-on-edge", tr("no pod runs there: logs and exec were not tried"), edge, weight="note")
        ]
    namespace, name = pods[0]
    logs = kubectl.run(host, "-n", namespace, "logs", "--tail=1", name)
    ran = kubectl.run(host, "-n", namespace, "exec", name, "--", "true")
    came = ran.code == 0 or any(words in ran.stderr for words in _CAME_THERE)
    failed = [(verb, done) for verb, done, good in (("logs", logs, logs.code == 0), ("exec", ran, came)) if not good]
    return [
        StepFinding(
            f"{verb}-fail", f"kubectl {verb} of {namespace}/{name}: {last_line(done)}", edge, _REMEDY, weight="fault"
        )
        for verb, done in failed
    ]


def _named(done: CommandResult) -> list[tuple[str, str]]:
    """Return namespace ("" for none) and name of each object that was listed; of a command that failed none."""
    known = [mapping(item.get("metadata")) for item in listed(done.stdout)] if done.code == 0 else []
    return [(str(one.get("namespace", "")), str(one["name"])) for one in known if "name" in one]
