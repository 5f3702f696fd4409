"""`mirror verify`: do clients get from these mirrors what was bundled?"""

from __future__ import annotations

import os
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.console import FILE
from bundler.fitted_table import GivingWay
from bundler.model.digest import ID_CHARACTERS
from bundler.model.size_text import human_bytes
from bundler.translation import tr
from mirror.cli.options import json_option, option
from mirror.cli.wiring import baseline_of, open_client, open_registry
from mirror.probe.mirror_address import MirrorAddress
from mirror.probe.mirror_report import OUTCOMES, MirrorReport, all_reports, require_good
from mirror.probe.retry import Pace
from mirror.probe.tree_check import check_mirror

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.model.json_value import Json

MAX_JOBS = 64
_HEADINGS = (tr("mirror"), tr("bundle"), tr("as bundled"), tr("otherwise"), tr("bytes"), tr("rate"))
_GIVING_WAY = {tr("mirror"): GivingWay(keep="end")}


def _targets(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[MirrorAddress, ...]:
    try:
        return tuple(MirrorAddress.parse(text) for text in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _registry(_ctx: click.Context, _param: click.Parameter, value: str | None) -> MirrorAddress | None:
    if value is None:
        return None
    try:
        address = MirrorAddress.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if not address.is_http or address.base:
        raise click.BadParameter(tr("a registry is reached by http://HOST:PORT or https://HOST:PORT, without a path"))
    return address


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="URL...", callback=_targets)
@option("--lock", type=FILE, help=tr("Hold the mirror to what this lock pins."))
@option(
    "--root",
    variable="MIRROR_VERIFY_ROOT",
    type=FILE,
    help=tr("Hold it to the unpacked bundle in this directory."),
)
@option(
    "--registry",
    variable="MIRROR_VERIFY_REGISTRY",
    metavar="URL",
    callback=_registry,
    help=tr("Where the first mirror's images are pulled, when it is not that mirror's own HTTP port."),
)
@option("--jobs", type=click.IntRange(1, MAX_JOBS), default=4, show_default=True, help=tr("Files fetched at once."))
@option(
    "--user",
    variable="MIRROR_LOGIN",
    metavar="NAME",
    help=tr("Log in; the password is taken from MIRROR_PASSWORD, else from netrc."),
)
@option("--ca-file", type=FILE, help=tr("PEM file of authorities to trust beside the system's."))
@json_option
def verify(
    targets: tuple[MirrorAddress, ...],
    lock: Path | None,
    root: Path | None,
    registry: MirrorAddress | None,
    jobs: int,
    user: str | None,
    ca_file: Path | None,
    as_json: bool,
) -> None:
    """Fetch everything from mirrors, as their clients do, and compare it with what was bundled.

    URL is the root of a bundle: http://master:8088, https://…, ftp://master, ftps://master (explicit TLS), or with
    /@DIR at its end. Without --lock and --root the mirror's own bundle.json is what its files are held to. Over
    HTTP the images are pulled as well, by every name and digest and for every platform, where the mirror is a registry.
    Exit 5 when a mirror serves anything else, 4 when it cannot be reached.
    """
    baseline = baseline_of(lock, root)
    reports, tell = [], console.timed(quiet=as_json)
    with console.progress(quiet=as_json) as progress:
        for address, own in zip_longest(targets, [registry]):
            with (
                open_client(address, user, ca_file, os.environ, connections=jobs) as client,
                open_registry(address, own, user, ca_file, os.environ, connections=jobs) as place,
            ):
                reports.append(check_mirror(str(address), client, baseline, progress, Pace(jobs), place))
    tell(tr("compared"), human_bytes(sum(report.received_bytes for report in all_reports(reports))))
    require = partial(require_good, reports)
    console.answer(_text(reports), _value(reports), schema="mirror.verify/1", as_json=as_json, require=require)


def _text(reports: Sequence[MirrorReport]) -> str:
    rows = [
        (
            report.url,
            report.bundle[:ID_CHARACTERS] or "-",
            tr("{intact} of {files}", intact=report.intact, files=report.files),
            ", ".join(f"{count} {outcome}" for outcome in OUTCOMES if (count := report.count(outcome))) or "-",
            human_bytes(report.received_bytes),
            f"{human_bytes(report.bytes_per_s)}/s",
        )
        for report in all_reports(reports)
    ]
    failed = [str(report.failure) for report in all_reports(reports) if report.failure is not None]
    return "\n".join([console.table(_HEADINGS, rows, _GIVING_WAY), *failed])


def _value(reports: Sequence[MirrorReport]) -> dict[str, Json]:
    return {
        "as_bundled": all(report.good for report in reports),
        "mirrors": [
            {**_of_one(report), "registry": None if report.registry is None else _of_one(report.registry)}
            for report in reports
        ],
    }


def _of_one(report: MirrorReport) -> dict[str, Json]:
    return {
        "url": report.url,
        "bundle": report.bundle,
        "title": report.title,
        "files": report.files,
        "intact": report.intact,
        "findings": [
            {"path": finding.path, "outcome": finding.outcome, "want": finding.want, "got": finding.got}
            for finding in report.findings
        ],
        "retries": report.retries,
        "bytes": report.received_bytes,
        "seconds": round(report.elapsed_s, 3),
        "bytes_per_s": round(report.bytes_per_s),
        "failure": None if report.failure is None else {"id": report.failure.id, "what": str(report.failure)},
    }
