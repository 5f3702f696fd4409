"""The services that a role needs, as systemd has them; and the processes that may not be there, or not twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.doctor.examined import Examined
from bundler.site.kubeedge_places import FORBIDDEN_ON_EDGES
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.host.interface import Process
    from bundler.site.step import StepContext

UNITS = {
    "cloud": ("docker.service", "kubeedge-mirror.service", "cloudcore.service"),
    "edge": ("docker.service", "mosquitto.service", "edgecore.service"),
}
_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts")
_MANY_RESTARTS = 5
_GONE = "Z"


def examine_services(at: StepContext) -> Examined:
    """Ask systemd for each unit of the role, and look at the processes."""
    facts: list[tuple[str, str]] = []
    findings: list[StepFinding] = []
    for unit in UNITS[at.this.role]:
        state = unit_state(at, unit)
        facts.append((unit, state_text(state)))
        findings += _unit_findings(unit, state, tr("`bundler site apply {role}`", role=at.this.role))
    findings += _process_findings(at)
    return Examined("services", tuple(facts), tuple(findings))


def unit_state(at: StepContext, unit: str) -> dict[str, str]:
    """Return a unit's properties as `systemctl show` has them; {} where there is no systemd."""
    done = at.host.run(("systemctl", "show", unit, *(f"--property={name}" for name in _PROPERTIES)))
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, equals, value in pairs if equals} if done.code == 0 else {}


def state_text(state: dict[str, str]) -> str:
    """Return a unit's state for a person."""
    if not state:
        return "unknown"
    if state.get("LoadState") == "not-found":
        return tr("not installed")
    return tr(
        "{active} ({sub}), at boot: {at_boot}",
        active=state.get("ActiveState", "?"),
        sub=state.get("SubState", "?"),
        at_boot=state.get("UnitFileState") or tr("no"),
    )


def _unit_findings(unit: str, state: dict[str, str], apply: str) -> Iterator[StepFinding]:
    if not state:
        yield StepFinding(
            "systemd-silent", tr("systemd says nothing of it"), unit, tr("Look at `systemctl status`."), "fault"
        )
    elif state.get("LoadState") == "not-found":
        yield StepFinding("unit-missing", tr("is not installed"), unit, f"Run {apply}.", "fault")
    elif state.get("ActiveState") != "active":
        remedy = tr("Look at `journalctl -u {unit} -n 50`, then run {apply}.", unit=unit, apply=apply)
        yield StepFinding("unit-down", tr("is {state}", state=state_text(state)), unit, remedy, "fault")
    elif (state.get("NRestarts") or "0").isdecimal() and int(state.get("NRestarts") or 0) >= _MANY_RESTARTS:
        what = tr("was started anew {state} times", state=state["NRestarts"])
        yield StepFinding("unit-restarts", what, unit, tr("Look at `journalctl -u {unit} -n 200`.", unit=unit), "fault")
    if state.get("UnitFileState") == "disabled":
        yield StepFinding(
            "unit-disabled",
            tr("does not start at boot"),
            unit,
            tr("Run `systemctl enable {unit}`.", unit=unit),
            "fault",
        )


def _process_findings(at: StepContext) -> Iterator[StepFinding]:
    running = at.host.processes()
    cores = [one for one in running if one.name == "cloudcore" and one.state != _GONE]
    if len(cores) > 1:
        what = tr(
            "runs {count} times ({pids}): each may give all edges another authority",
            count=len(cores),
            pids=_pids(cores),
        )
        yield StepFinding("cloudcore-twice", what, "cloudcore", tr("End those that systemd did not start."), "fault")
    if at.this.role == "edge":
        for name in FORBIDDEN_ON_EDGES:
            if found := [one for one in running if one.name == name]:
                dead = tr(", dead but not reaped by its parent") if all(one.state == _GONE for one in found) else ""
                what = tr(
                    "is there ({pids}{dead}), and edgecore refuses to start beside it", pids=_pids(found), dead=dead
                )
                yield StepFinding(
                    "forbidden-process", what, name, tr("End it, or the parent that does not reap it."), "fault"
                )


def _pids(processes: list[Process]) -> str:
    return ", ".join(tr("pid {pid}", pid=one.pid) for one in processes)
