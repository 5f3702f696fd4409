"""`bundler site check`: whether every step is as it should be on this host."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.site.site_options import on_a_host
from bundler.cli.site.step_text import finding_lines, plan_lines, plan_value
from bundler.errors import ErrorId, SiteError
from bundler.site.edge_trial import edge_findings
from bundler.site.roles import steps_of
from bundler.site.step_plan import finding_value, plan_site
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.cli.site.site_options import SiteRun
    from bundler.site.step import StepFinding
    from bundler.site.step_plan import StepPlan


@click.command()
@on_a_host
def check(run: SiteRun, as_json: bool) -> None:
    """Verify the state of every step. Exit 9 when one is not as it should be; changes nothing.

    On the master it ends with `kubectl logs` and `exec` of a pod on each edge, where one runs.
    """
    plans = plan_site(run.at, run.steps)
    # of a part of the steps, that part is asked for
    tried = edge_findings(run.at) if run.role == "cloud" and run.steps == steps_of(run.role) else []
    edges = [line for finding in tried for line in finding_lines(finding)]
    console.answer(
        chain(plan_lines(plans, only_findings=True), edges),
        {**plan_value(run, plans), "edges": [finding_value(finding) for finding in tried]},
        schema="bundler.site-check/1",
        as_json=as_json,
        require=lambda: _require_done(run, plans, tried),
    )


def _require_done(run: SiteRun, plans: Sequence[StepPlan], tried: Sequence[StepFinding]) -> None:
    for fault in (finding for finding in tried if finding.weight == "fault"):
        if all(plan.state == "done" for plan in plans):
            raise SiteError(
                ErrorId.SITE_FAULTY, fault.what, where=fault.where, remedy=fault.remedy, step=plans[-1].name
            )
    left = [plan.name for plan in plans if plan.state != "done"]
    if left:
        raise SiteError(
            ErrorId.SITE_FAULTY,
            tr(
                "{count} of {total} steps are not as they should be: {left}",
                count=len(left),
                total=len(plans),
                left=", ".join(left),
            ),
            remedy=tr("Look at what is told of them, then run `bundler site apply {role}`.", role=run.role),
            step=left[0],
        )
