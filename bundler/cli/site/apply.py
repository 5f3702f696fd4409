"""`bundler site apply`: take a role's steps on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, option
from bundler.cli.site.site_options import force_option, on_a_host, with_options
from bundler.cli.site.step_text import finding_lines, made_text, report_value
from bundler.site.applying import StepListener, StepReport, apply_site
from bundler.site.step import ApplyOptions
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.cli.site.site_options import SiteRun
    from bundler.site.step import Step


@click.command()
@on_a_host
@option(
    "--restart-docker",
    variable="BUNDLER_SITE_RESTART_DOCKER",
    is_flag=True,
    help=tr("Restart the engine where its settings want it, even if that stops a running control plane."),
)
@option(
    "--token-file",
    variable="BUNDLER_SITE_TOKEN_FILE",
    type=FILE,
    metavar="FILE",
    help=tr("A join token of `bundler site token`, for an edge without an invitation."),
)
@force_option
def apply(run: SiteRun, restart_docker: bool, token_file: Path | None, force: bool, as_json: bool) -> None:
    """Take every step that is not done, and stop at the first that fails; the same again goes on from there.

    Asks nothing. A second time it changes nothing and says so.
    """
    options = ApplyOptions(restart_docker, force, str(token_file.absolute()) if token_file else "")
    with console.kept_when_interrupted(tr("Steps that are done stay, and are not taken again.")):
        reports = apply_site(with_options(run.at, options), run.role, run.steps, shown_steps())
    console.answer(made_text(reports), report_value(run, reports), schema="bundler.site-apply/1", as_json=as_json)


def shown_steps() -> StepListener:
    """Return what shows each step and change on stderr."""

    def begun(number: int, count: int, step: Step) -> None:
        console.remark(f"[{number}/{count}] {step.name}: {step.title}")

    def ended(report: StepReport) -> None:
        for finding in report.notes:
            console.remark("\n".join(finding_lines(finding)))
        outcome = tr("done in {seconds:.1f} s", seconds=report.seconds) if report.changed else tr("nothing to do")
        console.remark(f"      {outcome}")

    return StepListener(begun, lambda title: console.remark(f"      {title}"), ended)
