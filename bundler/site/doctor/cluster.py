"""The cluster as the API server has it: nodes with their labels and versions, what stands on edges, tunnels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.model.json_value import load_foreign
from bundler.site.doctor.examined import Examined
from bundler.site.edits.node_affinity import EDGE_LABEL
from bundler.site.kubectl import Kubectl, listed, mapping
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bundler.site.config.model import SiteHost
    from bundler.site.step import StepContext

TUNNEL_RECORD = "tunnelportrecord.kubeedge.io"
_REQUEST_S = 20


def examine_cluster(at: StepContext) -> Examined:
    """Ask the API server; everything else of the cluster is left out when it does not answer."""
    ready = kubectl(at, "get", "--raw", "/readyz")
    if ready is None:
        remedy = tr(
            "Look at `kubectl --kubeconfig {kubeconfig} get --raw /readyz?verbose`.",
            kubeconfig=at.config.kubeedge.kubeconfig,
        )
        finding = StepFinding(
            "api-silent", tr("does not answer, or is not ready"), tr("the API server"), remedy, "fault"
        )
        return Examined("cluster", ((tr("API server"), tr("not ready")),), (finding,))
    nodes = _items(at, "nodes")
    facts = [(tr("API server"), "ready"), *((_name(node), _node_text(node)) for node in nodes)]
    findings = [*_node_findings(at, {_name(node): node for node in nodes}), *_standing_on_edges(at, nodes)]
    port, found = _tunnel(at)
    facts.append((tr("tunnel port"), port or "none"))
    return Examined("cluster", tuple(facts), (*findings, *found))


def kubectl(at: StepContext, *arguments: str) -> str | None:
    """Return what kubectl printed with the site's kubeconfig; None when it failed."""
    done = Kubectl(at.config.kubeedge.kubeconfig, _REQUEST_S, 2 * _REQUEST_S).run(at.host, *arguments)
    return done.stdout if done.code == 0 else None


def _items(at: StepContext, *what: str) -> list[Mapping[str, Any]]:
    return listed(kubectl(at, "get", *what, "-o", "json") or "")


def _json(text: Any) -> Mapping[str, Any]:
    try:
        return mapping(load_foreign(text)) if isinstance(text, str) else {}
    except ValueError:
        return {}


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _name(item: Mapping[str, Any]) -> str:
    return str(mapping(item.get("metadata")).get("name", "?"))


def _labels(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(node.get("metadata")).get("labels"))


def is_ready(node: Mapping[str, Any]) -> bool:
    """Tell whether a node's condition Ready is true."""
    conditions = map(mapping, _sequence(mapping(node.get("status")).get("conditions")))
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _version(node: Mapping[str, Any]) -> str:
    return str(mapping(mapping(node.get("status")).get("nodeInfo")).get("kubeletVersion", "?"))


def _node_text(node: Mapping[str, Any]) -> str:
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(sorted(key.removeprefix(prefix) for key in _labels(node) if key.startswith(prefix))) or "none"
    return f"{'Ready' if is_ready(node) else 'NotReady'}, {roles}, {_version(node)}"


def _node_findings(at: StepContext, nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[StepFinding]:
    for edge in at.config.edges:
        node = nodes.get(edge.name)
        if node is None:
            remedy = tr("Join it: `bundler site invite --host {name}`.", name=edge.name)
            yield StepFinding("node-missing", tr("has not joined"), edge.name, remedy, "fault")
            continue
        yield from _edge_findings(at, edge, node)
    for name, node in sorted(nodes.items()):
        if EDGE_LABEL in _labels(node) and not any(edge.name == name for edge in at.config.edges):
            remedy = tr("Add it to site.yaml, or `kubectl delete node` it.")
            yield StepFinding("node-unknown", tr("is an edge node that the site does not name"), name, remedy, "note")


def _edge_findings(at: StepContext, edge: SiteHost, node: Mapping[str, Any]) -> Iterator[StepFinding]:
    if not is_ready(node):
        remedy = tr("On {name}: `bundler site doctor`, and `journalctl -u edgecore -n 50`.", name=edge.name)
        yield StepFinding("node-not-ready", tr("is not Ready"), edge.name, remedy, "fault")
    lacking = [f"{key}={value}" for key, value in edge.labels.items() if _labels(node).get(key) != value]
    if lacking:
        remedy = tr("Run `kubectl label --overwrite node {name} {lacking}`.", name=edge.name, lacking=" ".join(lacking))
        yield StepFinding(
            "label-missing", tr("lacks {lacking}", lacking=", ".join(lacking)), edge.name, remedy, "fault"
        )
    wanted = f"-kubeedge-v{at.config.kubeedge.version}"
    if not _version(node).endswith(wanted):
        what = tr(
            "runs {version}, and the site wants KubeEdge {kubeedge_version}",
            version=_version(node),
            kubeedge_version=at.config.kubeedge.version,
        )
        remedy = tr("Join it anew with this bundle: `bundler site invite --host {name}`.", name=edge.name)
        yield StepFinding("version-differs", what, edge.name, remedy, "note")


def _standing_on_edges(at: StepContext, nodes: list[Mapping[str, Any]]) -> Iterator[StepFinding]:
    edges = {_name(node) for node in nodes if EDGE_LABEL in _labels(node)}
    found: dict[str, set[str]] = {}
    for pod in _items(at, "pods", "--all-namespaces"):
        node = mapping(pod.get("spec")).get("nodeName")
        meta = mapping(pod.get("metadata"))
        for owner in map(mapping, _sequence(meta.get("ownerReferences"))):
            if owner.get("kind") == "DaemonSet" and node in edges:
                found.setdefault(f"{meta.get('namespace')}/{owner.get('name')}", set()).add(str(node))
    for name, on in sorted(found.items()):
        what = tr("the DaemonSet stands on {on}", on=", ".join(sorted(on)))
        remedy = tr(
            "Unless it is meant for edges, keep it away: `{edge_label} DoesNotExist` in its node affinity.",
            edge_label=EDGE_LABEL,
        )
        yield StepFinding("daemonset-on-edge", what, name, remedy, "note")


def _tunnel(at: StepContext) -> tuple[str, list[StepFinding]]:
    """Return the port by which the API server reaches edges, and what is wrong with it."""
    if not at.config.kubeedge.stream:
        return "", []
    value = _json(kubectl(at, "-n", "kubeedge", "get", "configmap", "tunnelport", "-o", "json"))
    record = _json(mapping(mapping(value.get("metadata")).get("annotations")).get(TUNNEL_RECORD))
    ports = sorted(map(str, mapping(record.get("ipTunnelPort")).values()))
    if not ports:
        remedy = tr("Look at cloudcore's log: it writes this configmap when it starts.")
        return "", [
            StepFinding("tunnel-unknown", tr("names no port"), tr("configmap kubeedge/tunnelport"), remedy, "fault")
        ]
    rules = at.host.run(("iptables", "-w", "-t", "nat", "-S", "TUNNEL-PORT"))
    lacking = [port for port in ports if f"--dport {port} " not in rules.stdout]
    if rules.code == 0 and not lacking:
        return ", ".join(ports), []
    remedy = tr("cloudcore makes them within 10 s where it may; look whether `iptables` works on this host.")
    what = tr(
        "no rule leads port {lacking} to the stream port: logs and exec do not reach edges", lacking=", ".join(lacking)
    )
    return ", ".join(ports), [StepFinding("tunnel-rule", what, tr("iptables TUNNEL-PORT"), remedy, "fault")]
