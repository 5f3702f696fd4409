"""`bundler repair`: damaged and lost parts of an archive, from its parity."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.carry.carried_set import find_carried
from bundler.carry.repair import RepairReport, require_repaired
from bundler.carry.repair import repair as repair_set
from bundler.cli.bundle_sources import shown_name, source_argument
from bundler.cli.carry_options import part_dir_option
from bundler.cli.options import FILE, json_option, option
from bundler.translation import tr, tr_plural

if TYPE_CHECKING:
    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json


@click.command()
@source_argument()
@option(
    "-o",
    "--output",
    variable="BUNDLER_REPAIR_DIRECTORY",
    type=FILE,
    metavar="DIRECTORY",
    help=tr("Where mended files go; by default beside the damaged."),
)
@part_dir_option
@json_option
def repair(source: str, output: Path | None, places: PartPlaces, as_json: bool) -> None:
    """Mend the parts of an archive from its parity.

    SOURCE is the archive, any of its parts or parity files, whether it is there or not, or the directory that holds
    them. What the medium cannot read counts as lost. A file gets its name when it is what was written.
    """
    found = find_carried(Path(source), places)
    with console.progress(quiet=as_json) as progress:
        task = progress.task(shown_name(source) or source, None)
        report = repair_set(found, found.required_index(), output, task)
        task.finish()
    require = partial(require_repaired, report)
    console.answer(_text(report), _value(report), schema="bundler.repair/1", as_json=as_json, require=require)


def _text(report: RepairReport) -> str:
    lines = [
        tr("mended: {name}, {blocks}", name=file.name, blocks=_blocks(len(file.bad))) for file in report.plan.mendable
    ]
    lines += [tr("written anew: {name}", name=name) for name in report.lists]
    lines += [
        tr("beyond repair: {name}, {blocks}", name=file.name, blocks=_blocks(len(file.bad)))
        for file in report.plan.lost
    ]
    return "\n".join(lines) or tr("{where}: nothing to mend", where=report.where)


def _blocks(count: int) -> str:
    return tr_plural("{count} block of 64 KiB", "{count} blocks of 64 KiB", count)


def _value(report: RepairReport) -> dict[str, Json]:
    return {
        "archive": report.where,
        "mended": [{"name": file.name, "blocks": len(file.bad)} for file in report.plan.mendable],
        "lists": list(report.lists),
        "lost": [
            {"name": file.name, "missing": file.path is None, "ranges": [list(span) for span in report.ranges(file)]}
            for file in report.plan.lost
        ],
    }
