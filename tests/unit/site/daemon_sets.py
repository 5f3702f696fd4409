"""DaemonSets as the API gives them: flannel's and kube-proxy's as their manifests have them, and awkward ones."""

from __future__ import annotations

from typing import Any

LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
AMD64 = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}
NOT_ON_EDGES = {"key": "node-role.kubernetes.io/edge", "operator": "DoesNotExist"}
MASTER_FIELD = {"key": "metadata.name", "operator": "In", "values": ["master"]}
EVERYWHERE = [{"operator": "Exists", "effect": "NoSchedule"}]


def daemon_set(space: str, name: str, affinity: Any = None, **spec: Any) -> dict[str, Any]:
    """Return a DaemonSet; `affinity` is None where its manifest has none."""
    inner: dict[str, Any] = {"containers": [{"name": name, "image": f"master/library/{name}:1"}], **spec}
    if affinity is not None:
        inner["affinity"] = affinity
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"namespace": space, "name": name, "resourceVersion": "100", "generation": 1},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "updateStrategy": {"type": "RollingUpdate"},
            "template": {"metadata": {"labels": {"app": name}}, "spec": inner},
        },
        "status": {
            "observedGeneration": 1,
            "desiredNumberScheduled": 2,
            "updatedNumberScheduled": 2,
            "numberAvailable": 2,
            "numberMisscheduled": 0,
        },
    }


def required(*terms: Any) -> dict[str, Any]:
    """Return an affinity with these terms."""
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def flannel(space: str = "kube-system", name: str = "kube-flannel-ds") -> dict[str, Any]:
    """Return flannel's: in kube-system up to v0.18, in kube-flannel from v0.19 on."""
    return daemon_set(space, name, required({"matchExpressions": [LINUX]}), hostNetwork=True, tolerations=EVERYWHERE)


def kube_proxy() -> dict[str, Any]:
    """Return kube-proxy's, as kubeadm makes it."""
    return daemon_set(
        "kube-system", "kube-proxy", nodeSelector={"kubernetes.io/os": "linux"}, tolerations=[{"operator": "Exists"}]
    )


_POD: dict[str, Any] = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
_PREFERRED = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {}}]}
AFFINITIES: dict[str, Any] = {
    "none": None,
    "empty": {},
    "only of pods": _POD,
    "of no nodes": {"nodeAffinity": {}, **_POD},
    "only preferred": {"nodeAffinity": _PREFERRED},
    "one term": required({"matchExpressions": [LINUX]}),
    "two terms": required({"matchExpressions": [LINUX, AMD64]}, {"matchExpressions": [AMD64]}),
    "an empty term beside another": required({}, {"matchExpressions": [LINUX]}),
    "fields alone": required({"matchFields": [MASTER_FIELD]}),
    "fields and expressions": required({"matchFields": [MASTER_FIELD], "matchExpressions": [LINUX]}),
    "one of two has it": required({"matchExpressions": [NOT_ON_EDGES]}, {"matchExpressions": [LINUX]}),
    "another word of that key": required({"matchExpressions": [{**NOT_ON_EDGES, "operator": "Exists"}]}),
}
# to which nothing is to be added
KEPT_AWAY: dict[str, Any] = {
    "all have it": required({"matchExpressions": [LINUX, NOT_ON_EDGES]}, {"matchExpressions": [NOT_ON_EDGES]}),
    "nothing but an empty term": required({}),
    "a term with empty lists": required({"matchExpressions": [], "matchFields": []}),
    "no term at all": required(),
}
