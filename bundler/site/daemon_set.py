"""One DaemonSet of the cluster that is kept away from edges: patched as it is at that moment, its rollout awaited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.host.changes import Await, SameRecord, failed_command
from bundler.host.failure import ChangeFailedError
from bundler.host.journal import Record
from bundler.model.json_value import dump_canonical, dump_pretty
from bundler.site.edits.node_affinity import EXPRESSION, DaemonSetName, affinity_patch
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bundler.host.interface import Host
    from bundler.site.kubectl import Kubectl

MAX_TRIES = 5
ROLLED_OUT_WITHIN_S = 300.0
_BETWEEN_TRIES_S = 0.5
# what the API server says of a patch whose tests do not hold, and of one that came too late
_CONFLICTS = ("the object has been modified", "the request is invalid", "testing path", "testing value", "conflict")


@dataclass(frozen=True, slots=True)
class KeptFromEdges(SameRecord):
    """The expression in every term of a DaemonSet's affinity.

    Arguments:
        inverse_file: holds the patch that takes it out again.
    """

    kubectl: Kubectl
    name: DaemonSetName
    inverse_file: str

    @property
    def title(self) -> str:
        """Which DaemonSet."""
        return tr("keep DaemonSet {name} away from edges", name=self.name)

    @property
    def _undo(self) -> tuple[str, ...]:
        return self.kubectl.command(
            *("patch", "daemonset", self.name.name, f"--namespace={self.name.space}", "--type=json"),
            f"--patch-file={self.inverse_file}",
        )

    def record_anywhere(self) -> Record:
        """Return the patch that takes just this out again, where it still stands: the server tries it without doing it.

        A cluster that does not answer is not one without it.
        """
        ready = self.kubectl.command("get", "--raw", "/readyz")
        return Record(undo=self._undo, check=(*self._undo, "--dry-run=server"), answers=ready)

    def describe(self, host: Host) -> str:
        """Return the patch."""
        try:
            lines = dump_pretty(affinity_patch(self._read(host))).decode().splitlines()
        except ChangeFailedError as error:
            lines = [error.failure.what]
        return "\n".join([self.title, *(f"    {line}" for line in lines)])

    def is_done(self, host: Host) -> bool:
        """Tell whether no term lacks it."""
        try:
            return not affinity_patch(self._read(host))
        except ChangeFailedError:
            return False

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Patch it; who was quicker is asked again."""
        del ours, force
        for left in reversed(range(MAX_TRIES)):
            patch = affinity_patch(self._read(host))
            if not patch:
                break
            words = ("patch", "daemonset", self.name.name, f"--namespace={self.name.space}", "--type=json")
            # kubectl takes a patch as a word or from a file; it holds no secret
            done = self.kubectl.run(host, *words, f"--patch={dump_canonical(patch).decode()}")
            if done.code == 0:
                break
            if not left or not any(text in done.stderr.lower() for text in _CONFLICTS):
                raise ChangeFailedError(failed_command(self.kubectl.command(*words), done))
            host.pause(_BETWEEN_TRIES_S)
        return ()

    def _read(self, host: Host) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.kubectl.read(
            host, "daemonset", self.name.name, f"--namespace={self.name.space}"
        )
        return found


def rolled_out(kubectl: Kubectl, name: DaemonSetName) -> Await:
    """Return the change that is a DaemonSet's rollout: as `kubectl rollout status` tells it."""

    def lacking(host: Host) -> str:
        try:
            found = kubectl.read(host, "daemonset", name.name, f"--namespace={name.space}")
        except ChangeFailedError as error:
            return error.failure.what
        return rollout_lacks(found)

    words = f"kubectl --namespace={name.space} get pods --output=wide"
    remedy = tr("Look at `{words}`: which pod does not come up, and on which node?", words=words)
    return Await(tr("wait for the rollout of DaemonSet {name}", name=name), lacking, ROLLED_OUT_WITHIN_S, remedy=remedy)


def rollout_lacks(daemon_set: Mapping[str, Any]) -> str:
    """Return what a rollout lacks, for a person; "" once its pods are those that are wanted, where they are wanted."""
    status = daemon_set.get("status") or {}
    if status.get("observedGeneration", 0) < daemon_set["metadata"].get("generation", 0):
        return tr("the controller has not seen the change")
    if misplaced := status.get("numberMisscheduled", 0):
        return tr("{misplaced} pods stand where they are not wanted any more", misplaced=misplaced)
    wanted = status.get("desiredNumberScheduled", 0)
    strategy = (daemon_set["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate")
    if strategy == "RollingUpdate" and (updated := status.get("updatedNumberScheduled", 0)) < wanted:
        return tr("{updated} of {wanted} pods are new", updated=updated, wanted=wanted)
    if (available := status.get("numberAvailable", 0)) < wanted:
        return tr("{available} of {wanted} pods are available", available=available, wanted=wanted)
    return ""


def expression_words() -> str:
    """Return the expression for a person."""
    return f"{EXPRESSION['key']} {EXPRESSION['operator']}"
