"""The cluster as cloudcore would see it: whether its API answers, and what has become of KubeEdge's secrets.

cloudcore takes any error of reading casecret for its absence and replaces the authority that all edges trust
(cloud/pkg/cloudhub/servers/httpserver/server.go:246-270 at the tag); two of them that start at once make two. So it is
started only when nothing is found here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.model.json_value import dump_canonical, dump_pretty, load_foreign
from bundler.site.installer import STATE
from bundler.site.kubectl import Kubectl, last_line
from bundler.site.kubeedge.core_programs import alive
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import CommandResult, Host

NAMESPACE = "kubeedge"
AUTHORITY, SERVER, TOKEN = "casecret", "cloudcoresecret", "tokensecret"
BACKUPS = f"{STATE}/cloud/secrets"
_WITHIN_S = 30.0
_NO_PROGRAM = 127


def kubectl(host: Host, kubeconfig: str, *words: str) -> CommandResult:
    """Run kubectl with a kubeconfig; it gives up in time."""
    return Kubectl(kubeconfig, request_s=10, within_s=_WITHIN_S).run(host, *words)


def start_findings(host: Host, kubeconfig: str) -> list[StepFinding]:
    """Return why cloudcore cannot be started safely with this kubeconfig."""
    if host.read(kubeconfig) is None:
        remedy = tr("Set up Kubernetes first, or name its kubeconfig in site.yaml: kubeedge.kubeconfig.")
        return [StepFinding("kubeconfig-missing", tr("does not exist"), kubeconfig, remedy)]
    ready = kubectl(host, kubeconfig, "get", "--raw", "/readyz")
    if ready.code == _NO_PROGRAM:
        return [
            StepFinding(
                "kubectl-missing", tr("is not installed"), "kubectl", tr("Install it, as Kubernetes' hosts have.")
            )
        ]
    if ready.code != 0 or ready.stdout.strip() != "ok":
        return [
            StepFinding(
                "api-not-ready",
                tr("the Kubernetes API is not ready: {ready}", ready=last_line(ready)),
                f"kubectl --kubeconfig {kubeconfig} get --raw /readyz",
                tr("Wait until the control plane is up: cloudcore would end, or make a new authority for all edges."),
            )
        ]
    secrets = [finding for name in (AUTHORITY, SERVER) if (finding := _unreadable(host, kubeconfig, name))]
    return [*secrets, *_others(host, kubeconfig)]


def require_safe_start(host: Host, kubeconfig: str) -> None:
    """Keep a copy of KubeEdge's secrets; ChangeFailedError where cloudcore cannot be started safely."""
    for found in start_findings(host, kubeconfig):
        raise ChangeFailedError(ChangeFailure(Reason.COMMAND_FAILED, found.what, found.where, remedy=found.remedy))
    for name in (AUTHORITY, SERVER):
        back_up(host, kubeconfig, name)


def back_up(host: Host, kubeconfig: str, name: str) -> None:
    """Keep a secret as `kubectl apply -f` takes it, in a file for root alone that is named by what it holds."""
    found = kubectl(host, kubeconfig, "-n", NAMESPACE, "get", "secret", name, "-o", "json")
    if found.code != 0:
        return
    try:
        value = load_foreign(found.stdout)
        content = dump_canonical(value["data"])
    except (ValueError, KeyError, TypeError) as error:
        failure = ChangeFailure(
            Reason.COMMAND_FAILED,
            tr(
                "secret {name} of namespace {namespace} cannot be read: {error}",
                name=name,
                namespace=NAMESPACE,
                error=error,
            ),
        )
        raise ChangeFailedError(failure) from error
    host.make_directory(BACKUPS, 0o700)
    path = f"{BACKUPS}/{name}-{hashlib.sha256(content).hexdigest()[:12]}.json"
    if host.read(path) is None:
        metadata = {"name": name, "namespace": NAMESPACE}
        kept = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": value["data"]}
        host.write(path, dump_pretty({**kept, "type": value.get("type", "Opaque")}), 0o600)


def secret_value(host: Host, kubeconfig: str, name: str, key: str) -> tuple[bytes, str]:
    """Return one value of a secret of KubeEdge's, and "" or why there is none."""
    found = kubectl(host, kubeconfig, "-n", NAMESPACE, "get", "secret", name, "-o", f"jsonpath={{.data.{key}}}")
    if found.code != 0:
        return b"", last_line(found)
    try:
        return base64.b64decode(found.stdout, validate=True), ""
    except (ValueError, binascii.Error) as error:
        return b"", str(error)


def _unreadable(host: Host, kubeconfig: str, name: str) -> StepFinding | None:
    found = kubectl(host, kubeconfig, "-n", NAMESPACE, "get", "secret", name, "-o", "name")
    if found.code == 0 or "(NotFound)" in found.stderr:
        return None
    return StepFinding(
        f"{name}-unreadable",
        tr(
            "secret {name} of namespace {namespace} cannot be read: {found}",
            name=name,
            namespace=NAMESPACE,
            found=last_line(found),
        ),
        kubeconfig,
        tr(
            "Give this kubeconfig the right to read and write the secrets of that namespace: "
            "cloudcore takes one that it "
            "cannot read for one that is missing, makes a new authority, and no edge trusts it any more."
        ),
    )


def _others(host: Host, kubeconfig: str) -> list[StepFinding]:
    """Name cloudcores beside the one that there may be."""
    found = []
    here = alive(host, "cloudcore")
    if len(here) > 1:
        numbers = ", ".join(str(process.pid) for process in here)
        what = tr(
            "{count} of them run on this host (processes {numbers}); two that start at once make two authorities",
            count=len(here),
            numbers=numbers,
        )
        found.append(StepFinding("cloudcore-twice", what, "cloudcore", tr("End all but the oldest one of them.")))
    pods = kubectl(host, kubeconfig, "-n", NAMESPACE, "get", "pods", "-l", "kubeedge=cloudcore", "-o", "name")
    if pods.code != 0:
        what = tr("nobody can tell whether one runs in the cluster: {pods}", pods=last_line(pods))
        remedy = tr("Give this kubeconfig the right to list the pods of namespace {namespace}.", namespace=NAMESPACE)
        found.append(StepFinding("cloudcore-pods-unknown", what, "cloudcore", remedy))
    elif pods.stdout.strip():
        what = tr(
            "one runs in the cluster already ({stdout}), as `keadm init` sets it up", stdout=pods.stdout.split()[0]
        )
        found.append(
            StepFinding("cloudcore-in-cluster", what, "cloudcore", tr("Keep that one, or remove its deployment."))
        )
    return found
