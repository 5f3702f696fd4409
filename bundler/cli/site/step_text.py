"""How steps are shown: for a person, and as the JSON answers of `bundler site` have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.columns import padded
from bundler.outcome_words import shown_word
from bundler.site.counting import counted_changes, counted_steps
from bundler.site.step_plan import finding_value
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.cli.site.site_options import SiteRun
    from bundler.model.json_value import Json
    from bundler.site.applying import StepReport
    from bundler.site.step import StepFinding
    from bundler.site.step_plan import StepPlan

_STATES = {"done": tr("done"), "to-do": tr("to do"), "unmet": tr("blocked"), "faulty": tr("does not work")}
_STATE_COLUMNS = 13
_INDENT = "     "


def plan_lines(plans: Sequence[StepPlan], *, only_findings: bool = False) -> Iterator[str]:
    """Yield a plan for a person: each step with its state, then what it would do."""
    width = max((len(plan.name) for plan in plans), default=0)
    for number, plan in enumerate(plans, 1):
        yield f"{number:>3}  {plan.name:<{width}}  {padded(_STATES[plan.state], _STATE_COLUMNS)}  {plan.title}"
        for change in plan.changes:
            yield f"{_INDENT}{change.title}"
            if not only_findings:
                yield from (f"{_INDENT}{line}" for line in change.lines)
        yield from (line for finding in plan.findings for line in finding_lines(finding))


def finding_lines(finding: StepFinding) -> list[str]:
    """Return a finding for a person, its weight first."""
    first, *others = finding.text.splitlines()
    return [f"{_INDENT}{shown_word(finding.weight)}: {first}", *(f"{_INDENT}{line}" for line in others)]


def plan_value(run: SiteRun, plans: Sequence[StepPlan]) -> dict[str, Json]:
    """Return a plan as JSON has it."""
    return {"role": run.role, "host": run.at.this.name, "steps": [plan.value for plan in plans]}


def made_text(reports: Sequence[StepReport]) -> str:
    """Return what was applied in one line."""
    made = sum(len(report.changed) for report in reports)
    steps = counted_steps(len(reports))
    return f"{steps}, {counted_changes(made)}" if made else tr("{steps}: nothing to do", steps=steps)


def report_value(run: SiteRun, reports: Sequence[StepReport]) -> dict[str, Json]:
    """Return what was applied as JSON has it."""
    return {
        "role": run.role,
        "host": run.at.this.name,
        "changed": any(report.changed for report in reports),
        "steps": [
            {
                "name": report.name,
                "title": report.title,
                "changed": list(report.changed),
                "seconds": round(report.seconds, 1),
                "findings": [finding_value(finding) for finding in report.notes],
            }
            for report in reports
        ],
    }
