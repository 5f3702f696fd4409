"""KubeEdge's files from the bundle to where keadm looks for them, and nothing else.

The guide copies the whole directory, and on edges the master's /etc/kubeedge with the key of its streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.file_changes import CopyFile
from bundler.site.archive_checksum import form_problem
from bundler.site.kubeedge_places import (
    BUNDLED,
    CERTGEN,
    CLOUDCORE_UNIT,
    CRDS,
    EDGECORE_UNIT,
    KEADM,
    KUBEEDGE,
    archive_name,
    checksum_name,
    go_name,
)
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change

_PROGRAM, _TEXT = 0o755, 0o644


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file of the bundle and its place: the first of some names that the bundle lists."""

    names: tuple[str, ...]
    path: str
    mode: int = _TEXT


class CloudFiles(Step):
    """Archive, checksum, unit, certgen.sh, six custom resource definitions, keadm."""

    name = "kubeedge-files"
    title = tr("files of KubeEdge where keadm looks for them")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name what the bundle lacks, and a checksum that keadm would not take."""
        return _findings(at, self._wanted(at))

    def changes(self, at: StepContext) -> Sequence[Change]:
        """A copy of each."""
        return [
            CopyFile(at.bundle.path(name), wanted.path, at.bundle.digests[name], wanted.mode)
            for wanted in self._wanted(at)
            if (name := _listed(at, wanted))
        ]

    def _wanted(self, at: StepContext) -> list[_Wanted]:
        further = [_in_kubeedge(CLOUDCORE_UNIT), *map(_in_kubeedge, CRDS)]
        return [*_common(at), *further, _Wanted((f"{BUNDLED}/certgen.sh",), CERTGEN, _PROGRAM)]


class EdgeFiles(CloudFiles):
    """Archive, checksum, unit, keadm: from the bundle's own tree on the edge."""

    def _wanted(self, at: StepContext) -> list[_Wanted]:
        return [*_common(at), _in_kubeedge(EDGECORE_UNIT)]


def _common(at: StepContext) -> list[_Wanted]:
    version, arch = at.config.kubeedge.version, go_name(at.host.machine())
    names = (f"{BUNDLED}/keadm-{arch}", *((f"{BUNDLED}/keadm",) if arch == "amd64" else ()))
    archive = [_in_kubeedge(archive_name(version, arch)), _in_kubeedge(checksum_name(version, arch))]
    return [*archive, _Wanted(names, KEADM, _PROGRAM)]


def _in_kubeedge(name: str) -> _Wanted:
    return _Wanted((f"{BUNDLED}/{name}",), f"{KUBEEDGE}/{name}")


def _listed(at: StepContext, wanted: _Wanted) -> str:
    return next((name for name in wanted.names if at.bundle.having(name)), "")


def _findings(at: StepContext, files: Sequence[_Wanted]) -> list[StepFinding]:
    machine = at.host.machine()
    if not go_name(machine):
        return [
            StepFinding(
                "machine-unknown",
                tr("there is no KubeEdge for {machine}", machine=machine),
                at.this.name,
                tr("Take another host."),
            )
        ]
    absent = [wanted.names[-1] for wanted in files if not _listed(at, wanted)]
    if not at.bundle.root:
        remedy = tr("Unpack the bundle there, or name its directory in site.yaml: root.")
        return [StepFinding("bundle-missing", tr("there is no bundle"), at.config.root, remedy)]
    found = [
        StepFinding(
            "not-in-bundle",
            tr("the bundle does not list it"),
            name,
            tr("Carry a bundle that has it, for this machine."),
        )
        for name in absent
    ]
    checksum = f"{BUNDLED}/{checksum_name(at.config.kubeedge.version, go_name(machine))}"
    if at.bundle.having(checksum) and (problem := form_problem(at.host.read(at.bundle.path(checksum)))):
        remedy = tr("Build the bundle with checksum_path for the archive: the file holds the lower-case digits alone.")
        found.append(StepFinding("checksum-form", problem, at.bundle.path(checksum), remedy))
    return found
