"""`bundler diff`: what going from one lock, archive or tree to another brings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.bundle_sources import opened_quietly, source_argument, source_ca_option
from bundler.cli.carry_options import part_dir_option
from bundler.cli.options import json_option
from bundler.fitted_table import GivingWay, short_digests
from bundler.model.diff import lock_diff, lock_versions
from bundler.model.size_text import human_bytes
from bundler.model.upgrade import move_counts, upgrade_steps
from bundler.outcome_words import shown_word
from bundler.pipeline.opened_lock import read_contents
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces
    from bundler.model.diff import Versions
    from bundler.model.json_value import Json

_GIVING_WAY = {
    tr("OLD"): GivingWay(short_digests),
    tr("NEW"): GivingWay(short_digests),
    tr("NAME"): GivingWay(keep="end"),
}


@click.command()
@source_argument("old")
@source_argument("new")
@source_ca_option
@part_dir_option
@json_option
def diff(old: str, new: str, ca_file: Path | None, places: PartPlaces, as_json: bool) -> None:
    """Show what an upgrade from OLD to NEW brings.

    Each may be a lock, an archive, an unpacked tree or the URL of a running mirror. Packages are compared by version
    as RPM does, images by name and digest, files by digest.
    """
    # a large lock goes before the next one comes
    opened = partial(opened_quietly, ca_file=ca_file, places=places)
    before, after = (lock_versions(read_contents(source, opened).lock) for source in (old, new))
    value = partial(diff_value, before, after)
    console.answer(diff_lines(before, after), value, schema="bundler.diff/1", as_json=as_json)


def diff_lines(before: Versions, after: Versions) -> Iterator[str]:
    """Yield a difference as a text: how many steps there are of each sort, then a line each."""
    steps = upgrade_steps(before, after)
    if not steps:
        yield tr("nothing changed")
        return
    counted = ", ".join(f"{count} {shown_word(move)}" for move, count in move_counts(steps).items())
    yield f"{counted}; {_signed(sum(step.added_bytes for step in steps))}"
    rows = [
        (shown_word(step.move), step.kind, step.name, step.old or "-", step.new or "-", _signed(step.added_bytes))
        for step in steps
    ]
    yield from console.table_lines(
        (tr("WHAT"), tr("KIND"), tr("NAME"), tr("OLD"), tr("NEW"), tr("SIZE")), rows, _GIVING_WAY
    )


def diff_value(before: Versions, after: Versions) -> dict[str, Json]:
    """Return it as JSON: artifact by artifact, and in steps; sizes in bytes, absent sides as null."""
    return {
        "changes": [
            {
                "what": change.what,
                "kind": change.kind,
                "name": change.key,
                "old": _side(change.old_version, change.old_size),
                "new": _side(change.new_version, change.new_size),
            }
            for change in lock_diff(before, after)
        ],
        "steps": [
            {
                "move": step.move,
                "kind": step.kind,
                "name": step.name,
                "old": _side(step.old, step.old_size),
                "new": _side(step.new, step.new_size),
            }
            for step in upgrade_steps(before, after)
        ],
    }


def _side(version: str, size: int) -> Json:
    return {"version": version, "size": size} if version else None


def _signed(count: int) -> str:
    return ("+" if count >= 0 else "-") + human_bytes(abs(count))
