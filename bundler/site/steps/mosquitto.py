"""mosquitto, running before keadm looks for it: it would ask yum for epel-release otherwise, and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.changes import Await, RunCommand, Unless
from bundler.site.packages import missing_packages, packages
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

PACKAGE = "mosquitto"
UNIT = "mosquitto.service"
# keadm takes any process whose path has these letters, `ps aux | awk '/mosquit/ {print $11}'`
_LETTERS = "mosquit"
_WITHIN_S = 15.0


class Mosquitto(Step):
    """edgecore's event bus needs it at run time as well."""

    name = "mosquitto"
    title = tr("mosquitto, for edgecore's event bus")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """It is in the bundle, installed, or runs."""
        return () if runs(at.host) else missing_packages(at, (PACKAGE,))

    def changes(self, at: StepContext) -> Sequence[Change]:
        """One that runs, from wherever, is left alone."""
        del at
        start = ("systemctl", "enable", "--now", UNIT)
        stop, active = ("systemctl", "disable", "--now", UNIT), ("systemctl", "--quiet", "is-active", UNIT)
        look = tr("Look at `journalctl -u mosquitto`; another broker may have port 1883.")
        return (
            Unless(packages((PACKAGE,)), runs),
            Unless(RunCommand(start, undo=stop, check=active), runs),
            Await(tr("wait for mosquitto"), lacking, _WITHIN_S, look),
        )


def runs(host: Host) -> bool:
    """Tell whether keadm will find a mosquitto that runs."""
    return not lacking(host)


def lacking(host: Host) -> str:
    """Return "" when keadm will find a mosquitto that runs."""
    there = any(_LETTERS in process.program for process in host.processes() if process.state != "Z")
    return "" if there else tr("no process of that name")
