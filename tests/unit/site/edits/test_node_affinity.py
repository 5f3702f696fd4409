"""The patch that keeps a DaemonSet away from edges: into every term that matches anything, once, and out again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bundler.site.edits.edge_landing import edge_labels, lands_on
from bundler.site.edits.node_affinity import DaemonSetName, affinity_patch, inverse_patch
from tests.fakes.cluster import touch
from tests.stand_ins.daemon_sets import with_patch
from tests.unit.site.daemon_sets import (
    AFFINITIES,
    AMD64,
    KEPT_AWAY,
    LINUX,
    MASTER_FIELD,
    NOT_ON_EDGES,
    daemon_set,
    flannel,
    kube_proxy,
    required,
)

EDGE = edge_labels("edge1", "x86_64", {"zone": "a"})
SAMPLES = {"v0.14 to v0.18": flannel(), "v0.19 on": flannel("kube-flannel"), "kube-proxy": kube_proxy()}


def kept_away(value: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] | None = with_patch(value, affinity_patch(value))  # type: ignore[arg-type] # JSON
    assert result is not None
    return result


def terms(value: dict[str, Any]) -> list[dict[str, Any]]:
    node = value["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    return list(node["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"])


@pytest.mark.parametrize("name", SAMPLES)
def test_flannel_and_kube_proxy_keep_what_they_ask_for_and_get_it_once(name: str) -> None:
    before = SAMPLES[name]
    assert lands_on(before, EDGE)
    after = kept_away(before)
    assert not lands_on(after, EDGE)
    own = [LINUX] if "v0" in name else []
    assert terms(after) == [{"matchExpressions": [*own, NOT_ON_EDGES]}]
    assert affinity_patch(after) == []
    assert DaemonSetName.of(before).belongs_to_the_cluster


@pytest.mark.parametrize("name", AFFINITIES)
def test_every_term_that_matches_gets_it_and_gives_it_back(name: str) -> None:
    before = daemon_set("plant", "collector", AFFINITIES[name])
    after = kept_away(before)
    assert all(NOT_ON_EDGES in term["matchExpressions"] for term in terms(after) if term)
    assert [term for term in terms(after) if not term] == ([{}] if "empty term" in name else [])
    assert affinity_patch(after) == []
    back: Any = with_patch(after, inverse_patch(before))  # type: ignore[arg-type] # JSON
    assert back == before


@pytest.mark.parametrize("name", KEPT_AWAY)
def test_what_matches_no_edge_is_left_alone(name: str) -> None:
    value = daemon_set("plant", "collector", KEPT_AWAY[name])
    assert (affinity_patch(value), inverse_patch(value)) == ([], [])
    assert not lands_on(value, EDGE)


def test_who_was_quicker_makes_the_patch_fail() -> None:
    before = flannel()
    patch: Any = affinity_patch(before)
    assert patch[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "100"}
    touch(before)
    assert with_patch(before, patch) is None


def test_what_others_changed_where_it_stands_is_not_taken_out() -> None:
    before = kube_proxy()
    after = kept_away(before)
    after["spec"]["template"]["spec"]["affinity"]["podAffinity"] = {}
    inverse: Any = inverse_patch(before)
    assert with_patch(after, inverse) is None


def test_a_term_that_others_changed_in_between_makes_the_patch_fail() -> None:
    before = copy.deepcopy(daemon_set("plant", "collector", AFFINITIES["two terms"]))
    patch: Any = affinity_patch(before)
    tests = [operation for operation in patch if operation["op"] == "test"]
    assert len(tests) == 3
    changed = copy.deepcopy(before)
    terms(changed)[1]["matchExpressions"].append(LINUX)
    assert with_patch(changed, patch) is None


@pytest.mark.parametrize(
    ("space", "name", "belongs"),
    [
        ("kube-system", "kube-flannel-ds", True),
        ("kube-system", "kube-flannel-ds-amd64", True),
        ("kube-flannel", "kube-flannel-ds", True),
        ("plant", "kube-flannel-ds", False),
        ("kube-system", "kube-proxy", True),
        ("plant", "kube-proxy", False),
        ("kube-system", "kube-flannel-dsx", False),
        ("kube-system", "calico-node", False),
    ],
)
def test_which_ones_are_the_cluster_s_own(space: str, name: str, belongs: bool) -> None:
    assert DaemonSetName(space, name).belongs_to_the_cluster is belongs


@pytest.mark.parametrize(
    ("affinity", "selector", "lands"),
    [
        (None, {}, True),
        (None, {"kubernetes.io/os": "windows"}, False),
        (None, {"kubernetes.io/arch": "arm64"}, False),
        (None, {"zone": "a"}, True),
        # who asks for edges means them
        (None, {"node-role.kubernetes.io/edge": ""}, False),
        (required({"matchExpressions": [{"key": "node-role.kubernetes.io/edge", "operator": "Exists"}]}), {}, False),
        (required({"matchExpressions": [AMD64]}, {"matchFields": [MASTER_FIELD]}), {}, True),
        (required({"matchFields": [MASTER_FIELD]}), {}, False),
        (required({"matchFields": [{**MASTER_FIELD, "values": ["edge1"]}]}), {}, True),
        (required({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["b"]}]}), {}, True),
        (required({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}), {}, False),
        (required({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}), {}, False),
        (required({"matchExpressions": [{"key": "zone", "operator": "Gt", "values": ["1"]}]}), {}, False),
        (required({"matchExpressions": [{"key": "no", "operator": "Exists"}]}), {}, False),
    ],
)
def test_what_would_land_on_an_edge(affinity: Any, selector: dict[str, str], lands: bool) -> None:
    assert lands_on(daemon_set("plant", "x", affinity, nodeSelector=selector), EDGE) is lands


def test_numbers_are_compared_and_an_unknown_machine_fits() -> None:
    more = required({"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["2"]}]})
    assert lands_on(daemon_set("plant", "x", more), edge_labels("e", "", {"cores": "4"}))
    assert not lands_on(daemon_set("plant", "x", more), edge_labels("e", "", {"cores": "2"}))
    fewer = required({"matchExpressions": [{"key": "cores", "operator": "Lt", "values": ["2"]}, AMD64]})
    assert lands_on(daemon_set("plant", "x", fewer), edge_labels("e", "", {"cores": "1"}))
