"""Which DaemonSets would run on an edge, by what the scheduler goes by: labels of the node, selectors, affinity. Pure.

Edges have no taints by themselves, so tolerations do not matter.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.site.edits.node_affinity import EDGE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_ARCH = "kubernetes.io/arch"


def edge_labels(name: str, machine: str, own: Mapping[str, str]) -> Mapping[str, str]:
    """Return the labels that edgecore gives its node, and the site's own; without a machine, none for it."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", EDGE_LABEL: "", **own}
    labels["node-role.kubernetes.io/agent"] = ""
    if machine:
        labels[_ARCH] = _MACHINES.get(machine, machine)
    return labels


def lands_on(daemon_set: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a DaemonSet runs on a node with these labels without having asked for edges.

    Arguments:
        daemon_set: as the API gives it.
        labels: of `edge_labels`; what stands under a label of theirs that is not known counts as fitting.
    """
    spec = daemon_set["spec"]["template"]["spec"]
    selector = spec.get("nodeSelector") or {}
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = None if required is None else required.get("nodeSelectorTerms") or []
    if EDGE_LABEL in selector or any(_asks_for_edges(term) for term in terms or ()):
        return False
    if any(not _fits("In", [value], labels, key) for key, value in selector.items()):
        return False
    return terms is None or any(_matches(term, labels) for term in terms)


def _asks_for_edges(term: Mapping[str, Any]) -> bool:
    return any(
        expression.get("key") == EDGE_LABEL and expression.get("operator") in ("Exists", "In")
        for expression in term.get("matchExpressions") or ()
    )


def _matches(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    names = {"metadata.name": labels["kubernetes.io/hostname"]}
    if not expressions and not fields:
        return False
    return all(_fits(one["operator"], one.get("values") or [], labels, one["key"]) for one in expressions) and all(
        _fits(one["operator"], one.get("values") or [], names, one["key"]) for one in fields
    )


def _fits(operator: str, values: Sequence[str], labels: Mapping[str, str], key: str) -> bool:
    if key == _ARCH and key not in labels:
        return True
    value = labels.get(key)
    match operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            # Gt and Lt compare numbers
            return _compares(operator, value, values[0] if values else "")


def _compares(operator: str, value: str | None, bound: str) -> bool:
    try:
        number, limit = int(value or ""), int(bound)
    except ValueError:
        return False
    return number > limit if operator == "Gt" else number < limit
