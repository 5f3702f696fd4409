"""Flannel and kube-proxy kept away from edges, which have a network and a proxy of their own kind, or none.

Every DaemonSet that would land on an edge is named; only these two are changed. Others may be meant to run there
(collectors of metrics and logs often are), and who owns them would find our change in their next release.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.file_changes import WriteFile
from bundler.model.json_value import dump_pretty
from bundler.site.daemon_set import KeptFromEdges, expression_words, rolled_out, rollout_lacks
from bundler.site.edits.edge_landing import edge_labels, lands_on
from bundler.site.edits.node_affinity import DaemonSetName, affinity_patch, inverse_patch
from bundler.site.installer import STATE
from bundler.site.kubectl import Kubectl
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.host.changes import Change

_ANY_EDGE = edge_labels(tr("any edge"), "", {})


class NodeAffinity(Step):
    """The guide edits line numbers, forgets a blank, and names a label that no node ever has."""

    name = "affinity"
    title = tr("flannel and kube-proxy kept away from edges")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name a cluster that does not answer, and DaemonSets of others that would land on an edge."""
        try:
            found = _daemon_sets(at)
        except ChangeFailedError as error:
            failure = error.failure
            remedy = tr("Start the cluster, or name its kubeconfig under kubeedge.kubeconfig in site.yaml.")
            return (StepFinding("cluster-silent", failure.what, failure.where, remedy),)
        labels = [edge_labels(edge.name, edge.machine, edge.labels) for edge in at.config.edges] or [_ANY_EDGE]
        return tuple(
            _landing(DaemonSetName.of(one))
            for one in found
            if not DaemonSetName.of(one).belongs_to_the_cluster and any(lands_on(one, edge) for edge in labels)
        )

    def changes(self, at: StepContext) -> Sequence[Change]:
        """For each of them the patch back, the patch, and its rollout."""
        try:
            found = _daemon_sets(at)
        except ChangeFailedError:
            # told of as unmet
            return ()
        changes: list[Change] = []
        for one in found:
            name = DaemonSetName.of(one)
            if name.belongs_to_the_cluster:
                changes += _kept_away(at, name, one)
        return changes


def _kept_away(at: StepContext, name: DaemonSetName, daemon_set: Mapping[str, Any]) -> list[Change]:
    kubectl = Kubectl(at.config.kubeedge.kubeconfig)
    path = f"{STATE}/{at.this.role}/affinity/{name.space}.{name.name}.json"
    # once it is patched, only what was written before tells what was added
    inverse = dump_pretty(inverse_patch(daemon_set)) if affinity_patch(daemon_set) else at.host.read(path)
    kept = () if inverse is None else (WriteFile(path, inverse, 0o600),)
    return [*kept, KeptFromEdges(kubectl, name, path), rolled_out(kubectl, name)]


def _daemon_sets(at: StepContext) -> list[Mapping[str, Any]]:
    """Return all DaemonSets of the cluster, by namespace and name. Raises ChangeFailedError."""
    kubectl = Kubectl(at.config.kubeedge.kubeconfig)
    answer = kubectl.read(at.host, "daemonsets", "--all-namespaces")
    try:
        found = sorted(answer["items"], key=lambda one: (one["metadata"]["namespace"], one["metadata"]["name"]))
        for one in found:
            # whatever is looked at later is looked at once here
            _ = (affinity_patch(one), lands_on(one, _ANY_EDGE), rollout_lacks(one))
    except (KeyError, TypeError, AttributeError) as error:
        where = shlex.join(kubectl.command("get", "daemonsets", "--all-namespaces"))
        failure = ChangeFailure(Reason.COMMAND_FAILED, tr("answers with what are no DaemonSets"), where=where)
        raise ChangeFailedError(failure) from error
    return found


def _landing(name: DaemonSetName) -> StepFinding:
    return StepFinding(
        "lands-on-edges",
        tr("would run on edges as well"),
        tr("DaemonSet {name}", name=name),
        tr("If it is not meant to, add {expression_words} to its node affinity.", expression_words=expression_words()),
        "note",
    )
