"""`keadm deprecated init`: the custom resources, the namespace, cloudcore's program and settings, and a first start."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.changes import RunCommand
from bundler.host.foreseen_files import Foreseen
from bundler.manifest.yaml_edit import read_plain, value_at
from bundler.site.edits.kubeedge_yaml import CLOUD_ARGUMENTS, advertised_addresses, cloud_values
from bundler.site.installer import has_made
from bundler.site.keadm import RunKeadm
from bundler.site.kubectl import Kubectl
from bundler.site.kubeedge.cluster_state import AUTHORITY, NAMESPACE, kubectl, require_safe_start, start_findings
from bundler.site.kubeedge.core_programs import EndForeign, StopUnit, alive
from bundler.site.kubeedge.kept_settings import ForgetSettings, KeepSettings, MergeSettings, SettingsFile
from bundler.site.kubeedge.unit_before import StartAtRemoval
from bundler.site.kubeedge_places import (
    CLOUDCORE,
    CLOUDCORE_UNIT,
    CLOUDCORE_YAML,
    CRDS,
    KUBEEDGE,
    go_name,
    tree_name,
)
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

# those that change what cloudcore runs with, this one first
_STEPS = ("keadm-init", "stream-certs", "cloudcore-config", "cloudcore-service")
_STAYS = (
    "KubeEdge's custom resources and the namespace kubeedge stay in the cluster, with casecret, which all edges trust; "
    "`kubectl delete namespace kubeedge` ends that trust. /var/log/kubeedge stays on this host."
)


class KeadmInit(Step):
    """Done where cloudcore has been set up already, by whomever."""

    name = "keadm-init"
    title = tr("cloudcore, set up by keadm")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Look whether cloudcore could be started safely."""
        return () if has_run(at, at.host) else start_findings(at.host, at.config.kubeedge.kubeconfig)

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Keep what a person has set, call keadm, put it back."""
        settings, arch = at.config.kubeedge, go_name(at.host.machine())
        there = partial(has_run, at)
        guard = partial(require_safe_start, kubeconfig=settings.kubeconfig)
        file = _settings(at)
        words = (
            *("deprecated", "init", f"--kubeedge-version={settings.version}"),
            f"--advertise-address={','.join(advertised_addresses(at.config))}",
            f"--kube-config={settings.kubeconfig}",
        )
        may_start = Kubectl(settings.kubeconfig, request_s=10).command("-n", NAMESPACE, "get", "secret", AUTHORITY)
        return (
            StartAtRemoval(CLOUDCORE_UNIT, has_made(at.host, "cloud", *_STEPS), may_start),
            # the one that keadm starts is no unit's: undoing ends it where nothing else has
            RunCommand((), undo=("pkill", "-x", "cloudcore"), check=("pidof", "cloudcore")),
            KeepSettings(file, there),
            *(Foreseen(path, there) for path in (CLOUDCORE_YAML, CLOUDCORE, file.written)),
            # one of another version is in keadm's way
            StopUnit(CLOUDCORE_UNIT, there, guard),
            EndForeign("cloudcore", CLOUDCORE_UNIT, guard, needed=lambda host: not there(host)),
            RunKeadm(words, settings.version, arch, file, (CLOUDCORE,), there, guard=guard, stays=_STAYS),
            MergeSettings(file),
            ForgetSettings(file),
        )

    def faults(self, at: StepContext) -> Sequence[StepFinding]:
        """Name custom resources that the cluster does not have."""
        kubeconfig = at.config.kubeedge.kubeconfig
        listed = kubectl(at.host, kubeconfig, "get", "crd", "-o", "name")
        if listed.code != 0:
            return ()
        known = {line.partition("/")[2] for line in listed.stdout.split()}
        absent = [name for path in CRDS if (name := _resource(at.host, f"{KUBEEDGE}/{path}")) and name not in known]
        remedy = tr(
            "Apply it: kubectl --kubeconfig {kubeconfig} apply -f {kubeedge}/crds --recursive",
            kubeconfig=kubeconfig,
            kubeedge=KUBEEDGE,
        )
        return [
            StepFinding("crd-missing", tr("the cluster has no {name}", name=name), NAMESPACE, remedy, weight="fault")
            for name in absent
        ]


def has_run(at: StepContext, host: Host) -> bool:
    """Tell whether cloudcore has been set up, with the site's version as far as that can be told."""
    placed = host.status(CLOUDCORE)
    # a cut of the power may leave files that are empty
    if not host.read(CLOUDCORE_YAML) or placed is None or not placed.size:
        return False
    tree = tree_name(at.config.kubeedge.version, go_name(host.machine()))
    others = [name for name in host.names(KUBEEDGE) if name.startswith("kubeedge-v") and ".tar" not in name]
    # nobody knows the version of one that others set up and that leaves no tree
    foreign = not others and not host.exists(_settings(at).written)
    return tree in others or (foreign and bool(alive(host, "cloudcore")))


def _settings(at: StepContext) -> SettingsFile:
    return SettingsFile(CLOUDCORE_YAML, "cloud", (*CLOUD_ARGUMENTS, *cloud_values(at.config)))


def _resource(host: Host, path: str) -> str:
    try:
        return str(value_at(read_plain(host.read(path) or b""), ("metadata", "name")) or "")
    except ValueError:
        return ""
