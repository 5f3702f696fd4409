"""The step that keeps flannel and kube-proxy away from edges: patched, awaited, repeated, undone; others are named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bundler.errors import SiteError
from bundler.host.interface import CommandResult
from bundler.site.daemon_set import MAX_TRIES, rollout_lacks
from bundler.site.step_plan import plan_site
from bundler.site.steps.affinity import NodeAffinity
from tests.fakes.cluster import ClusterHost, touch
from tests.fakes.host import MemoryHost
from tests.unit.site.daemon_sets import NOT_ON_EDGES, daemon_set, flannel, kube_proxy, required
from tests.unit.site.sites import applied, context, undone

STEPS = (NodeAffinity(),)
COLLECTOR = daemon_set("plant", "collector")
FOR_EDGES = daemon_set("plant", "edge-agent", nodeSelector={"node-role.kubernetes.io/edge": ""})
KEEP = [
    "keep DaemonSet kube-flannel/kube-flannel-ds away from edges",
    "keep DaemonSet kube-system/kube-proxy away from edges",
]


def cluster(*further: dict[str, Any]) -> ClusterHost:
    sets = [kube_proxy(), flannel("kube-flannel"), *map(copy.deepcopy, further)]
    return ClusterHost(daemon_sets=sets)


def test_a_plan_shows_the_patch_and_changes_nothing() -> None:
    host = cluster()
    before = copy.deepcopy(host.daemon_sets)
    (plan,) = plan_site(context(host), STEPS)
    assert plan.state == "to-do"
    assert [change.title for change in plan.changes if change.title.startswith("keep")] == KEEP
    assert any("node-role.kubernetes.io/edge" in line for change in plan.changes for line in change.lines)
    assert (host.daemon_sets, host.files) == (before, {})


def test_both_are_patched_once_and_undo_takes_just_that_out() -> None:
    host = cluster(COLLECTOR)
    before = [copy.deepcopy(one["spec"]) for one in host.daemon_sets]
    at = context(host)
    assert [line for line in applied(at, STEPS) if line.startswith("keep")] == KEEP
    assert len(host.patches) == 2
    assert applied(at, STEPS) == []
    (plan,) = plan_site(at, STEPS)
    assert (plan.state, len(host.patches)) == ("done", 2)
    undone(at, STEPS)
    assert [one["spec"] for one in host.daemon_sets] == before
    assert not any("affinity" in path for path in host.files)


def test_others_that_would_land_on_an_edge_are_named_and_not_changed() -> None:
    host = cluster(COLLECTOR, FOR_EDGES)
    (plan,) = plan_site(context(host), STEPS)
    assert [(finding.where, finding.weight) for finding in plan.findings] == [("DaemonSet plant/collector", "note")]
    applied(context(host), STEPS)
    assert host.named("plant", "collector")["spec"] == COLLECTOR["spec"]


def test_one_that_keeps_away_by_itself_is_not_ours_to_undo() -> None:
    kept = flannel()
    kept["spec"]["template"]["spec"]["affinity"] = required({"matchExpressions": [NOT_ON_EDGES]})
    host = ClusterHost(daemon_sets=[kept])
    assert applied(context(host), STEPS) == []
    assert (undone(context(host), STEPS), host.files) == ([], {})


def test_who_was_quicker_is_read_again() -> None:
    host = cluster()
    quicker = iter(range(3))

    def meanwhile(host: ClusterHost) -> None:
        if next(quicker, None) is not None:
            touch(host.named("kube-flannel", "kube-flannel-ds"))

    def every_time(host: ClusterHost) -> None:
        for one in host.daemon_sets:
            touch(one)

    host.before_patch = meanwhile
    applied(context(host), STEPS)
    assert len(host.patches) == 2
    always = cluster()
    always.before_patch = every_time
    start = always.time
    with pytest.raises(SiteError, match="The request is invalid"):
        applied(context(always), STEPS)
    assert always.time - start < MAX_TRIES


def test_a_cluster_that_does_not_answer_is_in_the_way() -> None:
    host = cluster()
    host.answers_at_all = False
    (plan,) = plan_site(context(host), STEPS)
    assert (plan.state, plan.findings[0].id) == ("unmet", "cluster-silent")
    assert "was refused" in plan.findings[0].what
    with pytest.raises(SiteError, match="was refused"):
        applied(context(host), STEPS)


def test_what_was_applied_anew_without_it_gets_it_again_and_gives_it_back() -> None:
    host = cluster()
    applied(context(host), STEPS)
    fresh = flannel("kube-flannel")
    fresh["spec"]["template"]["spec"]["affinity"] = {}
    fresh["metadata"] = {**fresh["metadata"], "resourceVersion": "500"}
    before = copy.deepcopy(fresh["spec"])
    host.daemon_sets[1] = fresh
    assert KEEP[0] in applied(context(host), STEPS)
    undone(context(host), STEPS)
    assert host.daemon_sets[1]["spec"] == before


def test_what_others_took_out_is_not_missed_at_undo() -> None:
    host = cluster()
    applied(context(host), STEPS)
    theirs = flannel("kube-flannel")
    host.daemon_sets[1] = theirs
    before = copy.deepcopy(theirs)
    undone(context(host), STEPS)
    assert host.daemon_sets[1] == before


def test_the_rollout_is_waited_for() -> None:
    host = cluster()
    host.named("kube-system", "kube-proxy")["status"]["numberAvailable"] = 0

    def later(host: Any) -> None:
        host.named("kube-system", "kube-proxy")["status"]["numberAvailable"] = 2

    host.pauses = later
    start = host.time
    assert "wait for the rollout of DaemonSet kube-system/kube-proxy" in applied(context(host), STEPS)
    assert host.time > start
    host.pauses = None
    host.named("kube-system", "kube-proxy")["status"]["numberAvailable"] = 1
    with pytest.raises(SiteError, match="after 300 s: 1 of 2 pods are available") as raised:
        applied(context(host), STEPS)
    assert "get pods" in raised.value.remedy


@pytest.mark.parametrize(
    ("status", "strategy", "lacking"),
    [
        ({}, "RollingUpdate", ""),
        ({"observedGeneration": 0}, "RollingUpdate", "the controller has not seen the change"),
        ({"numberMisscheduled": 1}, "RollingUpdate", "1 pods stand where they are not wanted any more"),
        ({"updatedNumberScheduled": 1}, "RollingUpdate", "1 of 2 pods are new"),
        ({"updatedNumberScheduled": 1}, "OnDelete", ""),
        ({"numberAvailable": 0}, "OnDelete", "0 of 2 pods are available"),
    ],
)
def test_what_a_rollout_lacks(status: dict[str, int], strategy: str, lacking: str) -> None:
    value = kube_proxy()
    value["status"].update(status)
    value["spec"]["updateStrategy"] = {"type": strategy}
    assert rollout_lacks(value) == lacking


def test_a_cluster_that_is_down_keeps_the_undoing_from_being_forgotten() -> None:
    host = cluster()
    before = [copy.deepcopy(one["spec"]) for one in host.daemon_sets]
    applied(context(host), STEPS)
    host.answers_at_all = False
    with pytest.raises(SiteError, match="exit 1"):
        undone(context(host), STEPS)
    host.answers_at_all = True
    undone(context(host), STEPS)
    assert [one["spec"] for one in host.daemon_sets] == before
    assert not any("affinity" in path for path in host.files)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "{}",
        '{"items": null}',
        '{"items": [1]}',
        '{"items": [{"metadata": {}}]}',
        '{"items": [{"metadata": {"namespace": "kube-system", "name": "kube-proxy"}}]}',
        '{"items": [{"metadata": {"namespace": 1, "name": "a"}}, {"metadata": {"namespace": "b", "name": "c"}}]}',
        '{"items": [{"metadata": {"namespace": "a", "name": "b"}, "spec": {"template": {"spec": {"affinity": [1]}}}}]}',
    ],
)
def test_an_answer_that_is_of_no_daemon_sets_is_in_the_way(text: str) -> None:
    class Odd(MemoryHost):
        def run(self, command: Any, **how: Any) -> CommandResult:
            return CommandResult(0, text, "") if command[0] == "kubectl" else MemoryHost.run(self, command, **how)

    (plan,) = plan_site(context(Odd()), STEPS)
    assert (plan.state, plan.findings[0].id) == ("unmet", "cluster-silent")
