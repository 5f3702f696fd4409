"""docker-compose from the bundle, which Harbor's installer looks for."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bundler.host.file_changes import CopyFile
from bundler.site.edits.engine_options import version_in
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change

COMPOSE = "/usr/local/bin/docker-compose"
# harbor's common.sh, check_dockercompose
LEAST_VERSION = (1, 18)
_ASK = ("docker-compose", "--version")


class ComposeProgram(Step):
    """The guide moves it to /usr/bin, where nobody may run it: it has no mode for that."""

    name = "compose"
    title = tr("docker-compose for Harbor")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name a bundle that does not bring it."""
        if not _is_wanted(at) or _member(at) or _version(at):
            return ()
        what = tr("the bundle brings no docker-compose for {machine}", machine=at.host.machine())
        remedy = tr(
            "Build it with docker-compose-linux-{machine}, or put one of 1.18 or later into {compose}.",
            machine=at.host.machine(),
            compose=COMPOSE,
        )
        return (StepFinding("compose-missing", what, at.bundle.root, remedy),)

    def changes(self, at: StepContext) -> Sequence[Change]:
        """One file; none where no Harbor is set up."""
        name = _member(at) if _is_wanted(at) else ""
        return (CopyFile(at.bundle.path(name), COMPOSE, at.bundle.digests[name], 0o755),) if name else ()

    def faults(self, at: StepContext) -> Sequence[StepFinding]:
        """Tell of one that does not run, or is too old."""
        if not _is_wanted(at):
            return ()
        version = _version(at)
        if version is not None and version >= LEAST_VERSION:
            return ()
        what = (
            tr("does not run")
            if version is None
            else tr("is version {version}; Harbor wants 1.18", version=".".join(map(str, version)))
        )
        return (
            StepFinding(
                "compose-unfit", what, COMPOSE, tr("Look at what `{ask}` prints.", ask=" ".join(_ASK)), "fault"
            ),
        )


def _is_wanted(at: StepContext) -> bool:
    return at.config.registry.kind == "harbor"


def _member(at: StepContext) -> str:
    """Return its path in the bundle; Compose 1 writes its file's name with a capital L."""
    wanted = f"docker-compose-linux-{at.host.machine()}"
    return next((name for name in sorted(at.bundle.digests) if posixpath.basename(name).lower() == wanted), "")


def _version(at: StepContext) -> tuple[int, ...] | None:
    asked = at.host.run(_ASK)
    return version_in(asked.stdout) if asked.code == 0 else None
