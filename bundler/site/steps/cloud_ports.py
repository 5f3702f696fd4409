"""cloudcore's ports, which all open at one moment, up to 9.5 s after its start; then the pods of the control plane."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.changes import Await
from bundler.site.kubectl import listed, mapping
from bundler.site.kubeedge.cluster_state import kubectl
from bundler.site.kubeedge_places import CLOUDCORE_UNIT, cloud_ports
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

_WITHIN_S = 30.0
_SHOWN_LINES = 12
_SYSTEM = ("kube-system", "kube-flannel", "kubeedge")
_WELL = ("Running", "Succeeded")


class CloudPorts(Step):
    """The guide looks once, at 10003 alone."""

    name = "ports"
    title = tr("cloudcore's ports, and the pods of the cluster")

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Patience."""
        ports = cloud_ports(stream=at.config.kubeedge.stream)
        wanted = ", ".join(map(str, ports))
        remedy = tr("Look at `journalctl -u cloudcore`: it ends where the API is down or a certificate is missing.")
        return (
            Await(
                tr("wait for cloudcore on {wanted}", wanted=wanted),
                partial(_closed, ports=ports),
                _WITHIN_S,
                remedy,
                evidence=_last_words,
            ),
        )

    def faults(self, at: StepContext) -> Sequence[StepFinding]:
        """Name ports that another program has; pods that do not run are noted."""
        numbers = {process.pid: process.name for process in at.host.processes()}
        found = []
        for open_port in at.host.listening():
            holder = numbers.get(open_port.pid, "")
            if open_port.port in cloud_ports(stream=at.config.kubeedge.stream) and holder not in ("", "cloudcore"):
                remedy = tr("End {holder}, or give it another port; edges know this one.", holder=holder)
                what = tr("{holder} (process {pid}) listens there, and not cloudcore", holder=holder, pid=open_port.pid)
                found.append(
                    StepFinding("port-taken", what, tr("port {port}", port=open_port.port), remedy, weight="fault")
                )
        return [*dict.fromkeys(found), *_pod_notes(at)]


def _closed(host: Host, ports: tuple[int, ...]) -> str:
    there = {open_port.port for open_port in host.listening()}
    closed = [str(port) for port in ports if port not in there]
    return tr("nobody listens on {closed}", closed=", ".join(closed)) if closed else ""


def _last_words(host: Host) -> tuple[str, ...]:
    shown = host.run(("journalctl", "-u", CLOUDCORE_UNIT, "-o", "cat", "--no-pager", "-n", str(_SHOWN_LINES)))
    return tuple(shown.stdout.splitlines()) if shown.code == 0 else ()


def _pod_notes(at: StepContext) -> list[StepFinding]:
    answer = kubectl(at.host, at.config.kubeedge.kubeconfig, "get", "pods", "--all-namespaces", "-o", "json")
    if answer.code != 0:
        return []
    pods = [
        (name.get("namespace"), name.get("name"), mapping(item.get("status")).get("phase", "Unknown"))
        for item in listed(answer.stdout)
        for name in (mapping(item.get("metadata")),)
    ]
    return [
        StepFinding(
            "pod-not-running",
            tr("is {phase}", phase=phase),
            tr("pod {space}/{name}", space=space, name=name),
            tr("Look at it: kubectl -n {space} describe pod {name}", space=space, name=name),
            weight="note",
        )
        for space, name, phase in pods
        if str(space) in _SYSTEM and str(phase) not in _WELL
    ]
