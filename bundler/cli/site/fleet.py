"""`bundler site fleet`: plan, apply or check many edges at once, over ssh and Ansible."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, json_option, option
from bundler.cli.site.invite import reception, warn_of_what_edges_lack
from bundler.cli.site.invite_options import port_option
from bundler.cli.site.site_options import config_option, context_of, load_site
from bundler.errors import ErrorId, SiteError, ToolMissingError
from bundler.fitted_table import GivingWay
from bundler.host.apply import require_root
from bundler.host.local_host import LocalHost
from bundler.outcome_words import shown_word
from bundler.python_package import installing
from bundler.site.config.reading import host_names
from bundler.site.fleet.edge_script_copy import edge_script_copy
from bundler.site.fleet.playbook import FLEET_ACTIONS, FleetPlay
from bundler.site.fleet.running import WITHIN_S, FleetOrder, fleet_files, run_fleet
from bundler.site.installer import site_installer
from bundler.site.invitation.inviting import invited, mirror_origin, require_edges
from bundler.site.invitation.listener import opened_port, receive_edges
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.site.config.model import SiteHost
    from bundler.site.fleet.fleet_results import FleetRow
    from bundler.site.fleet.playbook import FleetAction
    from bundler.site.step import StepContext

ALL = "all"
_PROGRAM = "ansible-playbook"
MAX_FORKS = 500


@click.command()
@click.argument("action", type=click.Choice(FLEET_ACTIONS), metavar="plan|apply|check")
@click.argument("role", type=click.Choice(["edge"]), metavar="edge")
@option(
    "--hosts",
    variable="BUNDLER_SITE_FLEET_HOSTS",
    required=True,
    metavar="NAME[,NAME…]|all",
    help=tr("Edge hosts of the site."),
)
@option(
    "--limit",
    variable="BUNDLER_SITE_FLEET_LIMIT",
    metavar="PATTERN",
    help=tr("Only those of them: a pattern of Ansible's, over names and groups (label_KEY_VALUE, machine_NAME)."),
)
@option(
    "--forks",
    variable="BUNDLER_SITE_FLEET_FORKS",
    type=click.IntRange(1, MAX_FORKS),
    default=5,
    show_default=True,
    help=tr("How many hosts at once."),
)
@option(
    "--max-fail",
    variable="BUNDLER_SITE_FLEET_MAX_FAIL",
    type=click.IntRange(min=1),
    metavar="N",
    help=tr("Begin with no further hosts once N have failed."),
)
@option(
    "--write",
    variable="BUNDLER_SITE_FLEET_WRITE",
    type=FILE,
    metavar="DIR",
    help=tr("Write inventory, playbooks and edge.sh there, and run nothing."),
)
@port_option
@config_option
@json_option
def fleet(
    action: FleetAction,
    role: str,
    hosts: str,
    limit: str | None,
    forks: int,
    max_fail: int | None,
    write: Path | None,
    port: int,
    config: Path | None,
    as_json: bool,
) -> None:
    """Plan, apply or check many edges at once, from the master, over ssh.

    Runs Ansible (the extra `fleet`), whose hosts need no Python; how they are reached is what ssh knows. To apply, each
    host is invited, and its code handed to it over ssh.
    """
    del role
    at = context_of(load_site(config), "cloud", None, LocalHost())
    play = FleetPlay(at.config.root, mirror_origin(at.config), port, at.bundle.id, forks, max_fail)
    order = FleetOrder(action, _chosen(at, hosts), play, edge_script_copy(at.host, at.config), limit or "")
    rows = _written(at, order, write) if write else _run(at, order)
    console.answer(
        tr("written to {write}", write=write) if write else _table(rows),
        {"action": action, "hosts": [row.value for row in rows]},
        schema="bundler.site-fleet/1",
        as_json=as_json,
        require=lambda: _require_done(rows),
    )


def _chosen(at: StepContext, hosts: str) -> Sequence[SiteHost]:
    names = host_names(at.config, "edge") if hosts == ALL else [name for name in hosts.split(",") if name]
    if not names:
        raise click.BadParameter(tr("names no host"), param_hint="--hosts")
    require_edges(at.config, names)
    return [host for host in at.config.edges if host.name in names]


def _written(at: StepContext, order: FleetOrder, directory: Path) -> tuple[FleetRow, ...]:
    for name, content in fleet_files(order.hosts, order.play, order.script).items():
        at.host.write(str(directory.absolute() / name), content)
    return ()


def _run(at: StepContext, order: FleetOrder) -> tuple[FleetRow, ...]:
    require_root(at.host, site_installer("cloud"))
    console.end_at_hangup()
    order = replace(order, program=_ansible(), environment=_environment())
    if order.action != "apply":
        return run_fleet(at.host, order, {}, lambda _: None)
    warn_of_what_edges_lack(at)
    with opened_port("", order.play.port) as listening:
        made = invited([host.name for host in order.hosts], at.host.elapsed() + WITHIN_S)
        here = reception(at, made, order.play.port)
        return run_fleet(
            at.host, order, made.codes, lambda over: receive_edges(replace(here, ends_early=over), listening)
        )


def _ansible() -> str:
    """Return the program: the one that was installed beside this tool, or another one."""
    import shutil

    beside = Path(sys.executable).with_name(_PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(_PROGRAM)
    if found is None:
        raise ToolMissingError(
            _PROGRAM,
            package=tr("{installing}, or use --write DIR", installing=installing("ansible-core")),
            needed_for=tr("`bundler site fleet`"),
        )
    return found


def _environment() -> dict[str, str]:
    # Ansible refuses to run in a locale without UTF-8, and leaves no byte-code beside what is given to it
    named = next((os.environ[name] for name in ("LC_ALL", "LANG") if os.environ.get(name)), "")
    utf8 = named.lower().replace("-", "").endswith("utf8")
    return {"LC_ALL": named if utf8 else "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


_GIVING_WAY = {tr("AT"): GivingWay(keep="start")}


def _table(rows: Sequence[FleetRow]) -> str:
    cells = [(row.host, shown_word(row.outcome), row.task if row.outcome != "done" else "", row.what) for row in rows]
    return console.table((tr("HOST"), tr("OUTCOME"), tr("AT"), tr("WHAT")), cells, _GIVING_WAY)


def _require_done(rows: Sequence[FleetRow]) -> None:
    left = [row.host for row in rows if row.outcome != "done"]
    if left:
        raise SiteError(
            ErrorId.SITE_FLEET_FAILED,
            tr(
                "{count} of {total} hosts did not come to the end: {left}",
                count=len(left),
                total=len(rows),
                left=", ".join(left),
            ),
            remedy=tr("Mend what is said of them, then run the same command again."),
            step="",
        )
