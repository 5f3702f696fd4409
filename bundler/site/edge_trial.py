"""Whether `kubectl logs` and `exec` reach the pods of each edge: the whole way over the tunnel, by trying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.model.json_value import load_foreign
from bundler.site.step import StepFinding

if TYPE_CHECKING:
    from bundler.host.interface import CommandResult
    from bundler.site.step import StepContext

_WITHIN_S = 30.0
# the command came to the edge, whose image has no such program
_CAME_THERE = ("executable file not found", "OCI runtime exec failed", "no such file or directory")
_REMEDY = "Look at `bundler site doctor` here and on that edge: the tunnel, its port and its rule."


def edge_findings(at: StepContext) -> list[StepFinding]:
    """Try logs and exec of one running pod on each edge that has one; of the others a note says that none runs.

    Nothing is said without streams, and of edges that have not joined.
    """
    if not at.config.kubeedge.stream:
        return []
    found = _kubectl(at, "get", "nodes", "-l", "node-role.kubernetes.io/edge", "-o", "json")
    joined = {str(name) for name in _names(found.stdout)} if found.code == 0 else set()
    return [finding for edge in at.config.edges if edge.name in joined for finding in _tried(at, edge.name)]


def _tried(at: StepContext, edge: str) -> list[StepFinding]:
    selector = f"spec.nodeName={edge},status.phase=Running"
    pods = _kubectl(at, "get", "pods", "--all-namespaces", f"--field-selector={selector}", "-o", "json")
    pod = next(_pods(pods.stdout), None) if pods.code == 0 else None
    if pod is None:
        return [StepFinding("no-pod-on-edge", "no pod runs there: logs and exec were not tried", edge, weight="note")]
    namespace, name = pod
    logs = _kubectl(at, "-n", namespace, "logs", "--tail=1", name)
    ran = _kubectl(at, "-n", namespace, "exec", name, "--", "true")
    came = ran.code == 0 or any(words in ran.stderr for words in _CAME_THERE)
    failed = [(verb, done) for verb, done, good in (("logs", logs, logs.code == 0), ("exec", ran, came)) if not good]
    return [
        StepFinding(
            f"{verb}-fail", f"kubectl {verb} of {namespace}/{name}: {_last_line(done)}", edge, _REMEDY, weight="fault"
        )
        for verb, done in failed
    ]


def _kubectl(at: StepContext, *words: str) -> CommandResult:
    command = (
        "kubectl",
        f"--kubeconfig={at.config.kubeedge.kubeconfig}",
        f"--request-timeout={_WITHIN_S:.0f}s",
        *words,
    )
    return at.host.run(command, within_s=2 * _WITHIN_S)


def _items(text: str) -> list[Any]:
    try:
        value = load_foreign(text)
    except ValueError:
        return []
    items = value.get("items") if isinstance(value, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _metadata(item: Any) -> dict[str, Any]:
    value = item.get("metadata")
    return value if isinstance(value, dict) else {}


def _names(text: str) -> list[str]:
    return [str(_metadata(item).get("name", "")) for item in _items(text)]


def _pods(text: str) -> Any:
    known = (_metadata(item) for item in _items(text))
    return ((str(one["namespace"]), str(one["name"])) for one in known if "namespace" in one and "name" in one)


def _last_line(done: CommandResult) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit {done.code}"
