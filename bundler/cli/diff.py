"""`bundler diff`: what changed between two locks, archives or trees."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.bundle_sources import opened_quietly, source_argument, source_ca_option
from bundler.cli.options import json_option
from bundler.fitted_table import GivingWay, short_digests
from bundler.model.diff import LockChange, lock_diff, lock_versions
from bundler.model.size_text import human_bytes
from bundler.outcome_words import shown_word
from bundler.pipeline.opened_lock import read_contents
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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
@json_option
def diff(old: str, new: str, ca_file: Path | None, as_json: bool) -> None:
    """Show what changed from OLD to NEW.

    Each may be a lock, an archive, an unpacked tree or the URL of a running mirror.
    """
    # a large lock goes before the next one comes
    opened = partial(opened_quietly, ca_file=ca_file)
    before, after = (lock_versions(read_contents(source, opened).lock) for source in (old, new))
    changes = lock_diff(before, after)
    lines = changes_lines(changes) if changes else tr("nothing changed")
    console.answer(lines, partial(changes_value, changes), schema="bundler.diff/1", as_json=as_json)


def changes_lines(changes: Sequence[LockChange]) -> Iterator[str]:
    """Yield changes as a text, with the sum of the sizes."""
    rows = [
        (
            shown_word(change.what),
            change.kind,
            change.key,
            change.old_version or "-",
            change.new_version or "-",
            _signed(change.new_size - change.old_size),
        )
        for change in changes
    ]
    total = sum(change.new_size - change.old_size for change in changes)
    yield tr("{count} changed, {signed}", count=len(changes), signed=_signed(total))
    yield from console.table_lines(
        (tr("WHAT"), tr("KIND"), tr("NAME"), tr("OLD"), tr("NEW"), tr("SIZE")), rows, _GIVING_WAY
    )


def changes_value(changes: Sequence[LockChange]) -> dict[str, Json]:
    """Return changes as JSON; sizes in bytes, absent sides as null."""
    return {
        "changes": [
            {
                "what": change.what,
                "kind": change.kind,
                "name": change.key,
                "old": {"version": change.old_version, "size": change.old_size} if change.old_version else None,
                "new": {"version": change.new_version, "size": change.new_size} if change.new_version else None,
            }
            for change in changes
        ]
    }


def _signed(count: int) -> str:
    return ("+" if count >= 0 else "-") + human_bytes(abs(count))
