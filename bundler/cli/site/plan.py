"""`bundler site plan`: what applying would do on this host, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.site.site_options import on_a_host
from bundler.cli.site.step_text import plan_lines, plan_value
from bundler.site.step_plan import plan_site

if TYPE_CHECKING:
    from bundler.cli.site.site_options import SiteRun


@click.command()
@on_a_host
def plan(run: SiteRun, as_json: bool) -> None:
    """Show what each step would change, as differences and commands, and what is in its way. Changes nothing."""
    plans = plan_site(run.at, run.steps)
    value = plan_value(run, plans)
    console.answer(plan_lines(plans), value, schema="bundler.site-plan/1", as_json=as_json)
