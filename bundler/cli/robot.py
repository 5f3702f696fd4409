"""`bundler robot`: the account for edge nodes that pull."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from bundler import console
from bundler.cli.options import FILE, json_option, option
from bundler.cli.registry_options import connected, gathered_registry, open_registry, registry_option
from bundler.command_group import ByUse
from bundler.model.reference import docker_host
from bundler.model.robot import MAX_DAYS, NEVER, NewRobot
from bundler.net.harbor.robots import HarborRobots
from bundler.outcome_words import shown_word
from bundler.push.harbor import WaitPolicy, await_registry
from bundler.push.robots import RobotReport, RobotRequest, ensure_robot
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.cli.registry_options import RegistryOptions
    from bundler.model.json_value import Json

DEFAULT_NAME = "edge-pull"
KUBECTL = "kubectl create secret generic harbor-pull --type=kubernetes.io/dockerconfigjson"


@click.group(cls=ByUse)
def robot() -> None:
    """Robot accounts of a Harbor, for machines that pull."""


@robot.command()
@option(
    "--project",
    "projects",
    variable="BUNDLER_ROBOT_PROJECTS",
    multiple=True,
    required=True,
    metavar="P",
    help=tr("A project to pull from (repeatable)."),
)
@option(
    "-o",
    "--output",
    "file",
    variable="BUNDLER_ROBOT_FILE",
    type=FILE,
    required=True,
    metavar="FILE",
    help=tr("Takes the credentials as a Docker client configuration, mode 0600."),
)
@option(
    "--name",
    variable="BUNDLER_ROBOT_NAME",
    default=DEFAULT_NAME,
    show_default=True,
    help=tr("Its name, before which Harbor puts a prefix."),
)
@option(
    "--days",
    variable="BUNDLER_ROBOT_DAYS",
    type=click.IntRange(1, MAX_DAYS),
    help=tr("How long it lives; for ever by default."),
)
@option(
    "--renew", is_flag=True, help=tr("Give a robot of this name another secret: the old one opens nothing any more.")
)
@option("--dry-run", is_flag=True, help=tr("Look what is there, and make nothing."))
@registry_option
@connected
@json_option
def create(
    projects: tuple[str, ...],
    file: Path,
    name: str,
    days: int | None,
    renew: bool,
    dry_run: bool,
    as_json: bool,
    **connection: Any,
) -> None:
    """Make a robot account that may pull from some projects and do nothing else.

    Harbor tells its secret once: it goes into FILE, which docker takes as ~/.docker/config.json and Kubernetes as a
    secret of type kubernetes.io/dockerconfigjson. Run again, it finds the robot and its file there.
    """
    registry, wanted = gathered_registry(connection), _wanted(name, projects, days)
    report = _ensured(registry, wanted, file, renew=renew, dry_run=dry_run, quiet=as_json)
    value = _value(report, registry, wanted, file)
    console.answer(_text(report, registry, wanted, file), value, schema="bundler.robot/1", as_json=as_json)


def _wanted(name: str, projects: tuple[str, ...], days: int | None) -> NewRobot:
    try:
        return NewRobot(name, projects, NEVER if days is None else days)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _ensured(
    options: RegistryOptions, wanted: NewRobot, file: Path, *, renew: bool, dry_run: bool, quiet: bool
) -> RobotReport:
    hosts, earlier = (
        (options.host, docker_host(options.host, plain_http=plain_http))
        for plain_http in (options.plain_http, not options.plain_http)
    )
    with console.progress(quiet=quiet) as progress, open_registry(options, progress) as registry:
        request = RobotRequest(wanted, options.host, hosts, file, renew, registry.accepts, (earlier,))
        await_registry(registry.pusher, registry.harbor, WaitPolicy(options.wait), progress)
        return ensure_robot(request, registry.harbor, HarborRobots(registry.harbor), dry_run=dry_run)


def _text(report: RobotReport, options: RegistryOptions, wanted: NewRobot, file: Path) -> str:
    name, rights = (
        report.robot.name if report.robot else wanted.name,
        tr("pulls from {projects}", projects=", ".join(wanted.projects)),
    )
    if report.outcome == "missing":
        return tr(
            "{name}: would be {outcome}; {rights}",
            name=name,
            outcome=tr("renewed") if report.robot else tr("made"),
            rights=rights,
        )
    lines = (
        f"{name}: {shown_word(report.outcome)}; {rights}; {_expiry(report)}",
        tr("credentials for {host}: {file}", host=options.host, file=file),
        tr("on an edge node:   install -D -m 0600 {name} /root/.docker/config.json", name=file.name),
        tr("for Kubernetes:    {kubectl} --from-file=.dockerconfigjson={name}", kubectl=KUBECTL, name=file.name),
    )
    return "\n".join(lines)


def _expiry(report: RobotReport) -> str:
    if report.robot is None or report.robot.expires_at_s == NEVER:
        return tr("never expires")
    try:
        return tr(
            "expires {expires_at_s:%Y-%m-%d %H:%M} UTC",
            expires_at_s=dt.datetime.fromtimestamp(report.robot.expires_at_s, dt.UTC),
        )
    except (ValueError, OverflowError, OSError):
        # Harbor counts further than the calendar does
        return tr("expires after the year {maxyear}", maxyear=dt.MAXYEAR)


def _value(report: RobotReport, options: RegistryOptions, wanted: NewRobot, file: Path) -> dict[str, Json]:
    return {
        "registry": options.host,
        "outcome": report.outcome,
        "name": report.robot.name if report.robot else None,
        "projects": list(wanted.projects),
        "expires_at": None if report.robot is None or report.robot.expires_at_s == NEVER else report.robot.expires_at_s,
        "file": str(file),
    }
