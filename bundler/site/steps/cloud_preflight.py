"""What the cloud host has to have before anything is changed there."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from bundler.site.host_checks import (
    HARBOR_FREE_BYTES,
    KEADM_COMMANDS,
    common_findings,
    holder_of,
    lacking_commands,
    port_taken,
)
from bundler.site.kubectl import Kubectl, last_line
from bundler.site.kubeedge_places import cloud_ports
from bundler.site.leftovers import leftovers
from bundler.site.packages import offered, on_ours_alone, package_manager
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.host.changes import Change

CLOUDCORE, CLOUD_PORTS = "cloudcore", cloud_ports(stream=True)
_READY_WITHIN_S = 30.0


class CloudPreflight(Step):
    """The guide's look at nodes, pods and the host, and what it does not look at."""

    name = "preflight"
    title = tr("what this host has to have")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Look at all of it, so that everything is told at once."""
        return tuple(
            itertools.chain(common_findings(at), _commands(at), _ports(at), _cluster(at), _data(at), leftovers(at))
        )

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Nothing is changed."""
        del at
        return ()


def _commands(at: StepContext) -> Iterator[StepFinding]:
    if lacking := lacking_commands(at.host, KEADM_COMMANDS):
        what = tr("keadm runs {lacking}, which this host does not have", lacking=", ".join(lacking))
        yield StepFinding("commands-missing", what, remedy=_how_to_install(at))


def _how_to_install(at: StepContext) -> str:
    if not (manager := package_manager(at.host)) or not offered(at):
        return tr("Install what brings them.")
    install = shlex.join((*on_ours_alone(manager), "install"))
    return tr(
        "Run `bundler site apply cloud --only repo`, then install what brings them: `{install} NAME`.", install=install
    )


def _ports(at: StepContext) -> Iterator[StepFinding]:
    for port in sorted({found.port for found in at.host.listening()} & set(CLOUD_PORTS)):
        holder = holder_of(at.host, port)
        if holder is not None and holder.name == CLOUDCORE:
            continue
        finding = port_taken(port, holder, tr("Stop it, or have it listen elsewhere: the port is cloudcore's."))
        # only root sees who it is, which may be cloudcore
        yield finding if holder or at.host.is_root() else replace(finding, weight="note")


def _cluster(at: StepContext) -> Iterator[StepFinding]:
    if lacking_commands(at.host, ("kubectl",)):
        what = tr("kubectl is not on this host: KubeEdge's cloud side is set up where the cluster is administered")
        yield StepFinding("kubectl-missing", what, remedy=tr("Install kubectl of the cluster's version."))
        return
    if not at.host.is_root():
        return
    config = at.config.kubeedge.kubeconfig
    remedy = tr("Copy the cluster's admin.conf there, or name it as `kubeconfig` under `kubeedge` in site.yaml.")
    if not at.host.exists(config):
        yield StepFinding("kubeconfig-missing", tr("does not exist"), config, remedy)
        return
    done = Kubectl(config, request_s=10, within_s=_READY_WITHIN_S).run(at.host, "get", "--raw", "/readyz")
    if done.code != 0:
        what = tr("the API server is not ready: {done}", done=last_line(done))
        yield StepFinding("cluster-not-ready", what, config, tr("Look at `kubectl get --raw '/readyz?verbose'`."))


def _data(at: StepContext) -> Iterator[StepFinding]:
    registry = at.config.registry
    if registry.kind == "harbor" and (free := at.host.free_bytes(registry.data)) < HARBOR_FREE_BYTES:
        gib = 1024**3
        what = tr(
            "has room for {free:.0f} GiB; Harbor's documentation wants {harbor_free_bytes:.0f} GiB",
            free=free / gib,
            harbor_free_bytes=HARBOR_FREE_BYTES / gib,
        )
        remedy = tr("Put `data` under `registry` in site.yaml on a larger disk.")
        yield StepFinding("harbor-room", what, registry.data, remedy, "note")
