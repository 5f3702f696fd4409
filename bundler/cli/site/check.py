"""`bundler site check`: whether every step is as it should be on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.site.site_options import on_a_host
from bundler.cli.site.step_text import plan_lines, plan_value
from bundler.errors import ErrorId, SiteError
from bundler.site.step_plan import plan_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.cli.site.site_options import SiteRun
    from bundler.site.step_plan import StepPlan


@click.command()
@on_a_host
def check(run: SiteRun, as_json: bool) -> None:
    """Verify the state of every step. Exit 9 when one is not as it should be; changes nothing."""
    plans = plan_site(run.at, run.steps)
    console.answer(
        plan_lines(plans, only_findings=True),
        plan_value(run, plans),
        schema="bundler.site-check/1",
        as_json=as_json,
        require=lambda: _require_done(run, plans),
    )


def _require_done(run: SiteRun, plans: Sequence[StepPlan]) -> None:
    left = [plan.name for plan in plans if plan.state != "done"]
    if left:
        raise SiteError(
            ErrorId.SITE_FAULTY,
            f"{len(left)} of {len(plans)} steps are not as they should be: {', '.join(left)}",
            remedy=f"Look at what is told of them, then run `bundler site apply {run.role}`.",
            step=left[0],
        )
