"""What an edge host has to have before anything is changed there, and whom it has to reach."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from bundler.site.config.reading import HOST_NAME
from bundler.site.host_checks import KEADM_COMMANDS, common_findings, lacking_commands
from bundler.site.kubeedge_places import CERTIFICATE_PORT, FORBIDDEN_ON_EDGES, HUB_PORT, TUNNEL_PORT
from bundler.site.leftovers import leftovers
from bundler.site.packages import offered, package_manager
from bundler.site.step import Step, StepContext, StepFinding
from bundler.site.steps.mirror_service import HEALTH
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Process

# cloudcore's certificates are valid from the moment at which they are issued
MAX_SKEW_S = 300.0
NOTED_SKEW_S = 30.0
_ZOMBIE = "Z"


class EdgePreflight(Step):
    """The guide looks at nothing here."""

    name = "preflight"
    title = tr("what this host has to have, and whom it has to reach")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Look at all of it, so that everything is told at once."""
        return tuple(
            itertools.chain(
                common_findings(at), _name(at), _commands(at), _processes(at), _cloud(at), _mirror(at), leftovers(at)
            )
        )

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Nothing is changed."""
        del at
        return ()


def _name(at: StepContext) -> Iterator[StepFinding]:
    name = at.host.name()
    if not HOST_NAME.fullmatch(name):
        what = tr("this host is called {name!r}, which cannot be the name of a node", name=name)
        remedy = tr("The step hostname calls it {name!r}.", name=at.this.name)
        yield StepFinding("host-name-unfit", what, remedy=remedy, weight="note")


def _commands(at: StepContext) -> Iterator[StepFinding]:
    lacking = lacking_commands(at.host, KEADM_COMMANDS)
    # of these, packages have the commands' own names
    coming = offered(at) & set(at.config.docker.tools) if package_manager(at.host) else frozenset()
    if left := [name for name in lacking if name not in coming]:
        what = tr("keadm runs {left}, which this host does not have", left=", ".join(left))
        remedy = tr(
            "Install what brings them, or add it to `tools` under `docker` in site.yaml where the bundle has it."
        )
        yield StepFinding("commands-missing", what, remedy=remedy)


def _processes(at: StepContext) -> Iterator[StepFinding]:
    for process in at.host.processes():
        if process.name in FORBIDDEN_ON_EDGES:
            yield _zombie(process) if process.state == _ZOMBIE else _running(process)


def _zombie(process: Process) -> StepFinding:
    what = tr(
        "{name} has ended, and its parent has not taken note of it: edgecore takes it for a running one",
        name=process.name,
    )
    return StepFinding(
        "zombie", what, tr("process {pid}", pid=process.pid), tr("End its parent process, or restart this host.")
    )


def _running(process: Process) -> StepFinding:
    what = tr("{name} runs here, and edgecore refuses to start beside it", name=process.name)
    if process.name == "kubelet":
        remedy = tr("Run `systemctl disable --now kubelet`: edgecore is the kubelet of an edge.")
    else:
        remedy = tr("Take the step `affinity` on the cloud host, which keeps it off the edges, then end it here.")
    return StepFinding("process-forbidden", what, tr("process {pid}", pid=process.pid), remedy)


def _cloud(at: StepContext) -> Iterator[StepFinding]:
    address = at.config.cloud.addresses[0]
    ports = (*(HUB_PORT, CERTIFICATE_PORT), *((TUNNEL_PORT,) if at.config.kubeedge.stream else ()))
    if closed := [str(port) for port in ports if not at.host.listens(address, port)]:
        what = tr(
            "nothing answers on port {closed}: cloudcore does not run, or something in between says no",
            closed=", ".join(closed),
        )
        remedy = tr("Apply the cloud role first, and let these ports through on the cloud host and on the way.")
        yield StepFinding("cloud-unreachable", what, address, remedy)


def _mirror(at: StepContext) -> Iterator[StepFinding]:
    address, port = at.config.cloud.addresses[0], at.config.mirror.http
    answer = at.host.http_get(address, port, HEALTH, tls=False)
    if answer is None:
        remedy = tr("Look at `mirror service status` on the cloud host, and at firewalls on the way.")
        yield StepFinding("mirror-unreachable", tr("the mirror does not answer"), f"http://{address}:{port}", remedy)
    elif answer.date is not None and (skew := at.host.now() - answer.date) and abs(skew) > NOTED_SKEW_S:
        direction = tr("behind") if skew < 0 else tr("ahead of")
        what = tr("this host's clock is {skew:.0f} s {direction} the cloud host's", skew=abs(skew), direction=direction)
        remedy = tr("Set it, or have both follow one time server.")
        weight = abs(skew) > MAX_SKEW_S
        yield StepFinding("clock-skew", what, remedy=remedy, weight="unmet" if weight else "note")
