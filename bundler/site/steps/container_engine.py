"""The container engine: docker-ce from the site's own repository, enabled and running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.changes import RunCommand, Unless
from bundler.site.engine_state import UNIT, engine_awaited, engine_version
from bundler.site.packages import is_installed, missing_packages, packages
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

PACKAGE = "docker-ce"


class EngineInstalled(Step):
    """The guide takes docker for granted on the master; an engine that is there already is kept."""

    name = "docker"
    title = tr("the container engine, from the bundle's repository")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Say that the bundle has none, or that an engine of another package is there."""
        version = engine_version(at.host)
        if version is None:
            return missing_packages(at, (PACKAGE,))
        if is_installed(at.host, PACKAGE):
            return ()
        words = ".".join(map(str, version))
        what = tr(
            "dockerd {words} is here from another package than {package}, and is kept", words=words, package=PACKAGE
        )
        return (StepFinding("engine-kept", what, weight="note"),)

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The package, the unit at every start, the unit now, and its answer."""
        del at
        return (
            Unless(packages((PACKAGE,)), _is_there),
            RunCommand(
                ("systemctl", "enable", UNIT),
                undo=("systemctl", "disable", UNIT),
                check=("systemctl", "is-enabled", "--quiet", UNIT),
            ),
            RunCommand(
                ("systemctl", "start", UNIT),
                undo=("systemctl", "stop", UNIT),
                check=("systemctl", "is-active", "--quiet", UNIT),
                remedy=tr("Look at `journalctl -u {unit}`.", unit=UNIT),
            ),
            engine_awaited(),
        )


def _is_there(host: Host) -> bool:
    return engine_version(host) is not None
