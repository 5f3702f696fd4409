"""What a real controller makes of the affinity patches: how many nodes it wants a DaemonSet on is the judge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.json_value import dump_pretty
from bundler.site.config.model import KubeEdgeSettings
from bundler.site.daemon_set import KeptFromEdges
from bundler.site.edits.edge_landing import edge_labels, lands_on
from bundler.site.edits.node_affinity import DaemonSetName, affinity_patch, inverse_patch
from bundler.site.kubectl import Kubectl
from bundler.site.step_plan import plan_site
from bundler.site.steps.affinity import NodeAffinity
from tests.cluster.control_plane import Cluster, control_plane, eventually
from tests.cluster.kubectl_host import KubectlHost
from tests.unit.site.daemon_sets import AFFINITIES, KEPT_AWAY, daemon_set, flannel, kube_proxy
from tests.unit.site.sites import SITE, applied, context, undone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPACES = ("plant", "kube-flannel")
MACHINE = {"kubernetes.io/arch": "amd64"}
EDGE = edge_labels("edge1", "x86_64", {"zone": "a"})
ASKS_FOR_EDGES = "another word of that key"
# the API refuses an affinity without a term
TRIED = {**AFFINITIES, **{name: value for name, value in KEPT_AWAY.items() if name != "no term at all"}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with control_plane(tmp_path_factory.mktemp("cluster")) as running:
        for space in SPACES:
            running.kubectl("create", "namespace", space)
        eventually(lambda: "kube-system" in running.kubectl("get", "namespaces"), "kube-system is there")
        running.add_node("master", MACHINE)
        running.add_node("edge1", dict(EDGE))
        yield running


def made(cluster: Cluster, value: dict[str, Any]) -> DaemonSetName:
    """Make a DaemonSet as a manifest has it."""
    manifest = {key: part for key, part in value.items() if key != "status"}
    name = DaemonSetName.of(value)
    manifest["metadata"] = {"namespace": name.space, "name": name.name}
    cluster.create(manifest)
    return name


def there(cluster: Cluster, name: DaemonSetName) -> Any:
    return cluster.read("daemonset", name.name, f"--namespace={name.space}")


def desired(cluster: Cluster, name: DaemonSetName) -> int:
    """Return on how many nodes the controller wants it, once it has seen its last change."""

    def has_seen() -> bool:
        found = there(cluster, name)
        return bool(found["status"].get("observedGeneration") == found["metadata"]["generation"])

    eventually(has_seen, f"the controller has seen {name}")
    return int(there(cluster, name)["status"]["desiredNumberScheduled"])


@pytest.mark.parametrize("tried", TRIED)
def test_the_controller_wants_it_on_no_edge_any_more_and_again_when_undone(
    cluster: Cluster, tried: str, tmp_path: Path
) -> None:
    host = KubectlHost(scratch=tmp_path)
    name = made(cluster, daemon_set("plant", tried.replace(" ", "-"), TRIED[tried]))
    before = there(cluster, name)
    wanted = desired(cluster, name)
    asks_for_edges = tried == ASKS_FOR_EDGES
    host.files["/inverse"] = dump_pretty(inverse_patch(before))
    change = KeptFromEdges(Kubectl(str(cluster.kubeconfig)), name, "/inverse")
    assert change.is_done(host) == (not affinity_patch(before))
    change.apply(host, ours=(), force=False)
    assert desired(cluster, name) == wanted - int(lands_on(before, EDGE) or asks_for_edges)
    assert change.is_done(host)
    assert affinity_patch(there(cluster, name)) == []
    if not affinity_patch(before):
        return
    record = change.record_anywhere()
    assert host.run(record.check).code == 0
    assert host.run(record.undo).code == 0
    assert there(cluster, name)["spec"] == before["spec"]
    assert desired(cluster, name) == wanted
    # what is gone is not taken out twice
    assert host.run(record.check).code != 0


def test_a_version_that_others_made_old_is_refused_by_the_server(cluster: Cluster, tmp_path: Path) -> None:
    host = KubectlHost(scratch=tmp_path)
    name = made(cluster, daemon_set("plant", "contended"))
    host.files["/stale"] = dump_pretty(affinity_patch(there(cluster, name)))
    cluster.kubectl("annotate", "daemonset", name.name, f"--namespace={name.space}", "who=another")
    kubectl = Kubectl(str(cluster.kubeconfig))
    command = ("patch", "daemonset", name.name, f"--namespace={name.space}", "--type=json", "--patch-file=/stale")
    refused = kubectl.run(host, *command)
    assert refused.code == 1
    assert "the request is invalid" in refused.stderr.lower()
    KeptFromEdges(kubectl, name, "/inverse").apply(host, ours=(), force=False)
    assert desired(cluster, name) == 1


def test_the_step_patches_flannel_and_kube_proxy_waits_and_gives_back(cluster: Cluster, tmp_path: Path) -> None:
    names = [made(cluster, value) for value in (flannel(), flannel("kube-flannel"), kube_proxy())]
    assert [desired(cluster, name) for name in names] == [2, 2, 2]
    before = [there(cluster, name)["spec"] for name in names]
    host = KubectlHost(scratch=tmp_path, pauses=lambda _: cluster.run_pods())
    site = replace(SITE, kubeedge=KubeEdgeSettings(kubeconfig=str(cluster.kubeconfig)))
    at, steps = context(host, site), (NodeAffinity(),)
    (plan,) = plan_site(at, steps)
    named = {finding.where for finding in plan.findings}
    assert not {f"DaemonSet {name}" for name in names} & named
    lines = applied(at, steps)
    assert [line for line in lines if line.startswith("keep")] == [
        f"keep DaemonSet {name} away from edges" for name in sorted(names, key=str)
    ]
    assert [desired(cluster, name) for name in names] == [1, 1, 1]
    assert applied(at, steps) == []
    undone(at, steps)
    assert [there(cluster, name)["spec"] for name in names] == before
