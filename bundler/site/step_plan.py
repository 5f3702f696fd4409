"""What applying would do on this host now: every step with its state, its changes and what is in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.errors import StorageError
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.model.json_value import Json
    from bundler.site.step import Step, StepContext

State = Literal["done", "to-do", "unmet", "faulty"]


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One change that is not done: its title, and the lines that say exactly what it does."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step as it is on this host.

    Arguments:
        state: `done` where nothing is left; `unmet` where something has to be mended first; `faulty` where every change
            is made and it still does not work.
        done: how many of its changes are made already.
    """

    name: str
    title: str
    state: State
    done: int
    changes: tuple[PlannedChange, ...]
    findings: tuple[StepFinding, ...]

    @property
    def value(self) -> dict[str, Json]:
        """As `steps[]` of the JSON answers has it."""
        return {
            "name": self.name,
            "title": self.title,
            "state": self.state,
            "done": self.done,
            "changes": [{"title": change.title, "lines": list(change.lines)} for change in self.changes],
            "findings": [finding_value(finding) for finding in self.findings],
        }


def finding_value(finding: StepFinding) -> dict[str, Json]:
    """Return a finding as the JSON answers have it."""
    return {
        "id": finding.id,
        "weight": finding.weight,
        "what": finding.what,
        "where": finding.where or None,
        "remedy": finding.remedy or None,
    }


def plan_site(at: StepContext, steps: Sequence[Step]) -> tuple[StepPlan, ...]:
    """Look at every step, and change nothing."""
    return tuple(plan_step(at, step) for step in steps)


def plan_step(at: StepContext, step: Step) -> StepPlan:
    """Look at one step; what cannot be looked at without root, or on this disk, is in its way."""
    try:
        return _planned_step(at, step)
    except StorageError as error:
        remedy = error.remedy if at.host.is_root() else tr("Run it as root to see it.")
        finding = StepFinding("unreadable", error.sentence, error.where, remedy)
        return StepPlan(step.name, step.title, "unmet", 0, (), (finding,))


def _planned_step(at: StepContext, step: Step) -> StepPlan:
    findings = tuple(step.unmet(at))
    changes = step.changes(at)
    left = [change for change in changes if not change.is_done(at.host)]
    if not left and not any(finding.weight == "unmet" for finding in findings):
        findings += tuple(step.faults(at))
    return StepPlan(
        name=step.name,
        title=step.title,
        state=_state(left, findings),
        done=len(changes) - len(left),
        changes=tuple(_planned(change, at) for change in left),
        findings=findings,
    )


def _planned(change: Change, at: StepContext) -> PlannedChange:
    title, *lines = change.describe(at.host).splitlines()
    return PlannedChange(title, tuple(lines))


def _state(left: Sequence[Change], findings: Sequence[StepFinding]) -> State:
    weights = {finding.weight for finding in findings}
    if "unmet" in weights:
        return "unmet"
    if left:
        return "to-do"
    return "faulty" if weights & {"fault", "pending"} else "done"
