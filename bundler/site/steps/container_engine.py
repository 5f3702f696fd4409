"""The container engine: docker-ce from the site's own repository, enabled and running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.changes import RunCommand
from bundler.model.client_config import SECTION
from bundler.site.engine_state import UNIT, engine_awaited, engine_version
from bundler.site.step import Step, StepContext, StepFinding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change

PACKAGE = "docker-ce"
INSTALL_WITHIN_S = 1800.0


class EngineInstalled(Step):
    """The guide takes docker for granted on the master; an engine that is there already is kept."""

    name = "docker"
    title = "the container engine, from the bundle's repository"

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Say that an engine of another package is there."""
        version = engine_version(at.host)
        if version is None or at.host.run(("rpm", "--query", "--quiet", PACKAGE)).code == 0:
            return ()
        words = ".".join(map(str, version))
        what = f"dockerd {words} is here from another package than {PACKAGE}, and is kept"
        return (StepFinding("engine-kept", what, weight="note"),)

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The package, the unit at every start, the unit now, and its answer."""
        del at
        return (
            RunCommand(
                ("yum", "-y", "--disablerepo=*", f"--enablerepo={SECTION}", "install", PACKAGE),
                check=("dockerd", "--version"),
                stays=f"the package {PACKAGE}; `yum remove {PACKAGE}` removes it, with every container's files",
                within_s=INSTALL_WITHIN_S,
                remedy="Look at `bundler site plan` for the step `repo`: does the bundle have the package?",
                shows_progress=True,
            ),
            RunCommand(
                ("systemctl", "enable", UNIT),
                undo=("systemctl", "disable", UNIT),
                check=("systemctl", "is-enabled", "--quiet", UNIT),
            ),
            RunCommand(
                ("systemctl", "start", UNIT),
                undo=("systemctl", "stop", UNIT),
                check=("systemctl", "is-active", "--quiet", UNIT),
                remedy=f"Look at `journalctl -u {UNIT}`.",
            ),
            engine_awaited(),
        )
