"""`bundler site join`: show the code of an invitation, take what it gives, and take the edge's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from bundler import console
from bundler.cli.options import FILE, json_option, option
from bundler.cli.site.apply import shown_steps
from bundler.cli.site.code_input import code_of
from bundler.cli.site.invite_options import port_option
from bundler.cli.site.site_options import SiteRun, context_of, force_option, tool_bundle_id, with_options
from bundler.cli.site.step_text import made_text, report_value
from bundler.host.apply import require_root
from bundler.host.local_host import LocalHost
from bundler.shell_completion import complete_files
from bundler.site.applying import apply_site
from bundler.site.installer import site_installer
from bundler.site.invitation.join_client import shown_answer
from bundler.site.invitation.joining import joined_site, joining_alone, settle
from bundler.site.roles import steps_of
from bundler.site.step import ApplyOptions
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.host.interface import Host
    from bundler.site.applying import StepReport
    from bundler.site.invitation.join_code import JoinCode


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        name = urlsplit(value if "//" in value else f"//{value}").hostname
    except ValueError:
        name = None
    if not name:
        raise click.BadParameter(tr("{value!r} names no host", value=value))
    return name


@click.command()
@option(
    "--mirror",
    "master",
    variable="BUNDLER_SITE_MIRROR",
    required=True,
    callback=_address,
    metavar="URL",
    help=tr("The mirror, whose host is the master."),
)
@port_option
@option("--host", variable="BUNDLER_SITE_HOST", metavar="NAME", help=tr("Which host of the site this one is."))
@option(
    "--code-file",
    variable="BUNDLER_SITE_CODE_FILE",
    type=FILE,
    metavar="FILE",
    help=tr("Holds the code, readable by its owner alone; otherwise it is typed on the terminal."),
)
@option(
    "--root",
    variable="BUNDLER_SITE_ROOT",
    metavar="DIR",
    shell_complete=complete_files,
    help=tr("Where bundles lie here, if not as site.yaml says."),
)
@force_option
@json_option
def join(
    master: str, port: int, host: str | None, code_file: Path | None, root: str | None, force: bool, as_json: bool
) -> None:
    """Join this host to the site as an edge, with a code of `bundler site invite`.

    Gets site.yaml and what else it needs from the master, over a connection held to the certificate that the code
    names, then takes the steps of `bundler site apply edge`. Interrupted, it wants a new code, and goes on.
    """
    given = code_of(code_file) if code_file else None
    here = LocalHost()
    require_root(here, site_installer("edge"))
    console.end_at_hangup()
    with joining_alone(here):
        run, reports = _joined(here, master, port, host or here.name(), given, root or "", force=force)
    console.answer(made_text(reports), report_value(run, reports), schema="bundler.site-join/1", as_json=as_json)


def _joined(
    here: Host, master: str, port: int, name: str, given: JoinCode | None, root: str, *, force: bool
) -> tuple[SiteRun, tuple[StepReport, ...]]:
    answer = shown_answer(master, port, given or code_of(None), host=name, bundle=tool_bundle_id(root))
    site = joined_site(answer, root=root)
    token_file = settle(here, answer, site, console.remark)
    console.remark(tr("{name} is known to the master; the steps follow", name=name))
    at = with_options(
        context_of(site.config, "edge", name, LocalHost()), ApplyOptions(force=force, token_file=token_file)
    )
    run = SiteRun(at, "edge", steps_of("edge"))
    return run, apply_site(at, run.role, run.steps, shown_steps())
