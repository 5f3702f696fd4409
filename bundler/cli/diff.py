"""`bundler diff`: what changed between two locks, archives or trees."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.bundle_sources import opened_quietly, source_argument, source_ca_option
from bundler.cli.carry_options import part_dir_option
from bundler.cli.options import json_option
from bundler.model.diff import LockChange, lock_diff, lock_versions
from bundler.model.size_text import human_bytes
from bundler.pipeline.opened_lock import read_contents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json

SHORT_VERSION_CHARACTERS = 19


@click.command()
@source_argument("old")
@source_argument("new")
@source_ca_option
@part_dir_option
@json_option
def diff(old: str, new: str, ca_file: Path | None, places: PartPlaces, as_json: bool) -> None:
    """Show what changed from OLD to NEW.

    Each may be a lock, an archive, an unpacked tree or the URL of a running mirror.
    """
    # a large lock goes before the next one comes
    opened = partial(opened_quietly, ca_file=ca_file, places=places)
    before, after = (lock_versions(read_contents(source, opened).lock) for source in (old, new))
    changes = lock_diff(before, after)
    lines = changes_lines(changes) if changes else "nothing changed"
    console.answer(lines, partial(changes_value, changes), schema="bundler.diff/1", as_json=as_json)


def changes_lines(changes: Sequence[LockChange]) -> Iterator[str]:
    """Yield changes as a text, with the sum of the sizes."""
    rows = [
        (
            change.what,
            change.kind,
            change.key,
            _short(change.old_version),
            _short(change.new_version),
            _signed(change.new_size - change.old_size),
        )
        for change in changes
    ]
    total = sum(change.new_size - change.old_size for change in changes)
    yield f"{len(changes)} changed, {_signed(total)}"
    yield from console.table_lines(("WHAT", "KIND", "NAME", "OLD", "NEW", "SIZE"), rows)


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


def _short(version: str) -> str:
    return version[:SHORT_VERSION_CHARACTERS] or "-"


def _signed(count: int) -> str:
    return ("+" if count >= 0 else "-") + human_bytes(abs(count))
