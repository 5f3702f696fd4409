"""What keeps a DaemonSet away from edges, as a JSON patch (RFC 6902), and the patch that takes it out again. Pure.

Terms of a node affinity are alternatives, so every one of them gets the expression; one that is empty matches no node
and is left alone. The first operation tests the version that was read: whoever was quicker makes the patch fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.json_value import Json

EDGE_LABEL = "node-role.kubernetes.io/edge"
EXPRESSION: Mapping[str, Json] = {"key": EDGE_LABEL, "operator": "DoesNotExist"}
_NODE, _REQUIRED, _TERMS = "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"
_EXPRESSIONS, _FIELDS = "matchExpressions", "matchFields"
_AFFINITY = "/spec/template/spec/affinity"
# Documentation/kube-flannel.yml: the one namespace up to v0.18, the other after it; one for each machine up to v0.11
_FLANNEL_SPACES, _FLANNEL = ("kube-system", "kube-flannel"), "kube-flannel-ds"


@dataclass(frozen=True, slots=True)
class DaemonSetName:
    """Which DaemonSet it is."""

    space: str
    name: str

    @classmethod
    def of(cls, daemon_set: Mapping[str, Any]) -> DaemonSetName:
        """Return a read one's."""
        return cls(daemon_set["metadata"]["namespace"], daemon_set["metadata"]["name"])

    def __str__(self) -> str:
        return f"{self.space}/{self.name}"

    @property
    def belongs_to_the_cluster(self) -> bool:
        """Whether it is flannel or kube-proxy, which edges never run."""
        if self.name == "kube-proxy":
            return self.space == "kube-system"
        return self.space in _FLANNEL_SPACES and (self.name + "-").startswith(f"{_FLANNEL}-")


def affinity_patch(daemon_set: Mapping[str, Any]) -> Sequence[Json]:
    """Return what keeps a DaemonSet, as the API gives it, away from edges; nothing where it keeps away already."""
    additions = _additions(daemon_set)
    if not additions:
        return []
    version: Json = {"op": "test", "path": "/metadata/resourceVersion", "value": _version(daemon_set)}
    tests: list[Json] = [
        {"op": "test", "path": f"{_TERMS_PATH}/{number}", "value": term}
        for number, term in enumerate(_terms(daemon_set))
        if _wants(term)
    ]
    adding: list[Json] = [{"op": "add", "path": path, "value": value} for path, _, value in additions]
    return [version, *tests, *adding]


def inverse_patch(daemon_set: Mapping[str, Any]) -> Sequence[Json]:
    """Return what takes out again what `affinity_patch` would add now, as long as just that still stands there."""
    patch: list[Json] = []
    for _, path, value in reversed(_additions(daemon_set)):
        patch += [{"op": "test", "path": path, "value": value}, {"op": "remove", "path": path}]
    return patch


_TERMS_PATH = f"{_AFFINITY}/{_NODE}/{_REQUIRED}/{_TERMS}"


def _additions(daemon_set: Mapping[str, Any]) -> list[tuple[str, str, Json]]:
    """Return (where to add, where it stands then, what) of everything that is lacking."""
    affinity = daemon_set["spec"]["template"]["spec"].get("affinity")
    required: Json = {_TERMS: [{_EXPRESSIONS: [EXPRESSION]}]}
    if affinity is None:
        return [_whole(_AFFINITY, {_NODE: {_REQUIRED: required}})]
    node = affinity.get(_NODE)
    if node is None:
        return [_whole(f"{_AFFINITY}/{_NODE}", {_REQUIRED: required})]
    if node.get(_REQUIRED) is None:
        return [_whole(f"{_AFFINITY}/{_NODE}/{_REQUIRED}", required)]
    additions = []
    for number, term in enumerate(_terms(daemon_set)):
        if not _wants(term):
            continue
        path = f"{_TERMS_PATH}/{number}/{_EXPRESSIONS}"
        there = term.get(_EXPRESSIONS)
        if there is None:
            additions.append(_whole(path, [EXPRESSION]))
        else:
            additions.append((f"{path}/-", f"{path}/{len(there)}", EXPRESSION))
    return additions


def _whole(path: str, value: Json) -> tuple[str, str, Json]:
    return path, path, value


def _terms(daemon_set: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    affinity = daemon_set["spec"]["template"]["spec"].get("affinity") or {}
    required = (affinity.get(_NODE) or {}).get(_REQUIRED) or {}
    return required.get(_TERMS) or []


def _wants(term: Mapping[str, Any]) -> bool:
    """Tell whether a term matches nodes at all, and edges among them for what this label says."""
    expressions = term.get(_EXPRESSIONS) or []
    if not expressions and not term.get(_FIELDS):
        return False
    return not any(
        expression.get("key") == EDGE_LABEL and expression.get("operator") == EXPRESSION["operator"]
        for expression in expressions
    )


def _version(daemon_set: Mapping[str, Any]) -> str:
    return str(daemon_set["metadata"]["resourceVersion"])
