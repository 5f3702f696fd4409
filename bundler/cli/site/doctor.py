"""`bundler site doctor`: one report of the whole site as seen from this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bundler import console
from bundler.cli.options import FILE, json_option, option
from bundler.cli.site.site_options import config_option, config_path, context_of, load_site, role_of
from bundler.cli.site.step_text import finding_lines
from bundler.columns import padded, width
from bundler.errors import ErrorId, SiteError
from bundler.host.local_host import LocalHost
from bundler.site.doctor.help_bundle import packed
from bundler.site.doctor.report import examine
from bundler.translation import tr, tr_plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.site.doctor.examined import Examined


@click.command()
@config_option
@option("--host", variable="BUNDLER_SITE_HOST", metavar="NAME", help=tr("Which host of the site this one is."))
@option(
    "--bundle",
    "file",
    variable="BUNDLER_SITE_DOCTOR_BUNDLE",
    type=FILE,
    metavar="FILE",
    help=tr("Pack the report with logs and settings, secrets removed, into FILE (tar.gz, 0600)."),
)
@json_option
def doctor(config: Path | None, host: str | None, file: Path | None, as_json: bool) -> None:
    """Report what is there and what is wrong, each with the next thing to do. Exit 9 on faults; changes nothing."""
    site, here = load_site(config), LocalHost()
    at = context_of(site, role_of(site, host, here), host, here)
    examined = examine(at)
    value: dict[str, Json] = {"host": at.this.name, "subjects": [one.value for one in examined]}
    if file is not None:
        schema: dict[str, Any] = {"schema": "bundler.site-doctor/1"}
        here.write(str(file.absolute()), packed(at, schema | value, config_path(config).read_bytes()), 0o600)
        console.remark(tr("{file}: what helps others to help; secrets were removed, but look yourself", file=file))
    console.answer(
        _lines(examined), value, schema="bundler.site-doctor/1", as_json=as_json, require=lambda: _require(examined)
    )


def _lines(examined: Sequence[Examined]) -> Iterator[str]:
    for one in examined:
        yield one.subject
        columns = max((width(name) for name, _ in one.facts), default=0)
        yield from (f"     {padded(name, columns)}  {value}" for name, value in one.facts)
        yield from (line for finding in one.findings for line in finding_lines(finding))


def _require(examined: Sequence[Examined]) -> None:
    faults = [finding for one in examined for finding in one.findings if finding.weight == "fault"]
    if faults:
        raise SiteError(
            ErrorId.SITE_FAULTY,
            tr_plural(
                "{count} fault: something is not as it should be",
                "{count} faults: something is not as it should be",
                len(faults),
            ),
            remedy=tr("Begin with the first: later ones often come of it."),
            step="",
        )
