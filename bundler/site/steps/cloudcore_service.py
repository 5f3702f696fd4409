"""cloudcore as a unit of systemd, in place of the process that keadm started, which is asked to end.

The guide kills whatever holds the first port that netstat shows, and enables nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.file_changes import CopyFile
from bundler.host.foreseen_files import Foreseen
from bundler.site.kubeedge.cluster_state import require_safe_start, start_findings
from bundler.site.kubeedge.core_programs import (
    EndForeign,
    ReloadAtRemoval,
    ReloadUnits,
    StartUnit,
    alive,
    enabled,
    started_with,
    unit_process,
)
from bundler.site.kubeedge_places import (
    BUNDLED,
    CLOUDCORE,
    CLOUDCORE_UNIT,
    CLOUDCORE_YAML,
    KUBEEDGE,
    STREAM_CA,
    STREAM_CERT,
    STREAM_KEY,
    UNITS,
)
from bundler.site.step import Step, StepContext
from bundler.site.steps.stream_certs import lacking
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.site.step import StepFinding

_UNIT_FILE = f"{UNITS}/{CLOUDCORE_UNIT}"
_NOTE = started_with("cloud", CLOUDCORE_UNIT)
_READS = (_UNIT_FILE, CLOUDCORE, CLOUDCORE_YAML)
_STREAM = (STREAM_CA, STREAM_CERT, STREAM_KEY)


class CloudcoreService(Step):
    """Never started unless the API answers and casecret can be read; its secrets are kept before."""

    name = "cloudcore-service"
    title = tr("cloudcore as a service of this host")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Look whether it could be started safely, where that is left to do."""
        running = alive(at.host, "cloudcore")
        if len(running) == 1 and running[0].pid == unit_process(at.host, CLOUDCORE_UNIT):
            return ()
        return start_findings(at.host, at.config.kubeedge.kubeconfig)

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The unit, then its start."""
        source = f"{KUBEEDGE}/{CLOUDCORE_UNIT}"
        digest = at.bundle.digests.get(f"{BUNDLED}/{CLOUDCORE_UNIT}") or at.host.digest(source)
        guard = partial(_require_startable, at)
        inputs = (*_READS, *(_STREAM if at.config.kubeedge.stream else ()))
        start = StartUnit(CLOUDCORE_UNIT, inputs, _NOTE, guard)
        unit = CopyFile(source, _UNIT_FILE, digest)
        return (
            ReloadAtRemoval(unit),
            unit,
            ReloadUnits(CLOUDCORE_UNIT),
            enabled(CLOUDCORE_UNIT),
            EndForeign("cloudcore", CLOUDCORE_UNIT, guard),
            Foreseen(_NOTE, start.is_done),
            start,
        )


def _require_startable(at: StepContext, host: Host) -> None:
    """Raise ChangeFailedError where cloudcore would end at once, or do harm."""
    require_safe_start(host, at.config.kubeedge.kubeconfig)
    faults = lacking(at, host) if at.config.kubeedge.stream else []
    if faults:
        remedy = tr("Run the step stream-certs first: cloudcore ends at once without them.")
        failure = ChangeFailure(
            Reason.COMMAND_FAILED, faults[0], where=CLOUDCORE, remedy=remedy, lines=tuple(faults[1:])
        )
        raise ChangeFailedError(failure)
