"""`mirror service`: the mirror as a systemd service of this host."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.command_group import ByUse
from bundler.errors import ErrorId, ServeError
from bundler.host.apply import undo_lines
from bundler.host.local_host import LocalHost
from bundler.model.json_value import load_foreign
from bundler.translation import tr
from mirror.cli.options import json_option, networks, option
from mirror.cli.serve import serve_settings
from mirror.service.facts import facts_of
from mirror.service.install_plan import InstallOptions, install_plan
from mirror.service.installation import install as install_service
from mirror.service.installation import installed_on
from mirror.service.installation import remove as remove_service
from mirror.service.launcher import bundle_launcher
from mirror.service.service_status import Status, status_of
from mirror.settings import DEFAULT_ROOT

if TYPE_CHECKING:
    from bundler.model.json_value import Json
    from mirror.settings import Network

dry_run_option = option("--dry-run", is_flag=True, help=tr("Show every command and file, and change nothing."))


@click.group(cls=ByUse)
def service() -> None:
    """Install the mirror as a systemd service, look at it, remove it without a trace."""


@service.command()
@click.argument("arguments", nargs=-1, metavar="[-- OPTIONS OF mirror serve]")
@option(
    "--open-firewall", is_flag=True, help=tr("Open the ports in firewalld, or in iptables where that is in charge.")
)
@option(
    "--allow",
    variable="MIRROR_FIREWALL_ALLOW",
    multiple=True,
    callback=networks,
    metavar="CIDR",
    help=tr("Open them to this network only (repeatable)."),
)
@dry_run_option
def install(arguments: tuple[str, ...], open_firewall: bool, allow: tuple[Network, ...], dry_run: bool) -> None:
    """Make a systemd unit, start it, and start it at every boot.

    Everything after -- goes to `mirror serve`: mirror service install -- --root /opt --ftp off. Without --root it is
    /opt. The same command with other options changes the service.
    """
    given = arguments if any(word.startswith("--root") for word in arguments) else ("--root", DEFAULT_ROOT, *arguments)
    options = InstallOptions(given, serve_settings(given), open_firewall, allow)
    host = LocalHost()
    launcher = bundle_launcher(options.settings.root, sys.prefix)
    facts = facts_of(host, sys.executable, os.path.realpath(sys.executable), launcher)
    changes = install_plan(facts, options)
    if dry_run:
        console.say("\n".join(change.describe(host) for change in changes))
        return
    install_service(host, facts, changes, options.settings, console.say)


@service.command()
@dry_run_option
def remove(dry_run: bool) -> None:
    """Stop the service and undo what installing it has done, and nothing else."""
    host = LocalHost()
    if dry_run:
        found = installed_on(host)
        console.say("\n".join(undo_lines(found.journal)) if found else tr("nothing is installed"))
    elif not remove_service(host, console.say):
        console.say(tr("nothing is installed"))


@service.command()
@json_option
def status(as_json: bool) -> None:
    """Tell whether the service runs, listens and is well. Exit 8 when it is not."""
    found = status_of(LocalHost())
    console.answer(
        _text(found),
        _value(found),
        schema="mirror.service-status/1",
        as_json=as_json,
        require=lambda: _require_good(found),
    )


def _require_good(found: Status) -> None:
    if not found.good:
        raise ServeError(
            ErrorId.SERVICE_FAILED,
            tr("the service is not well") if found.installed else tr("the service is not installed"),
            remedy=tr("Look at `journalctl -u kubeedge-mirror`.")
            if found.installed
            else tr("Run `mirror service install`."),
        )


def _text(found: Status) -> str:
    shown = {
        tr("installed"): tr("yes") if found.installed else tr("no"),
        tr("unit"): " ".join(found.unit.get(name, "") for name in ("LoadState", "ActiveState", "SubState")).strip()
        or tr("unknown"),
        tr("at boot"): found.unit.get("UnitFileState") or tr("no"),
        **{name: tr("listens") if there else tr("does not listen") for name, there in found.listening.items()},
        tr("health"): tr("no answer") if found.health is None else f"{found.health.status} {found.health.text.strip()}",
    }
    return "\n".join(f"{name}: {value}" for name, value in shown.items())


def _value(found: Status) -> dict[str, Json]:
    health: Json = None
    if found.health is not None:
        try:
            health = {"status": found.health.status, "answer": load_foreign(found.health.text)}
        except ValueError:
            health = {"status": found.health.status, "answer": found.health.text}
    return {
        "good": found.good,
        "installed": found.installed,
        "unit": dict(found.unit),
        "listening": dict(found.listening),
        "health": health,
    }
