"""`bundler inspect`: the content of a bundle or a lock, with sizes and what each artifact was checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, json_option
from bundler.model.artifact import Remarked
from bundler.model.bundle import ID_CHARACTERS
from bundler.model.lock import lock_remarks
from bundler.model.size_text import human_bytes
from bundler.pipeline.opened_lock import Contents, read_contents

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json


@click.command()
@click.argument("path", type=FILE)
@json_option
def inspect(path: Path, as_json: bool) -> None:
    """Show what PATH holds, and what vouched for it.

    PATH is an archive, an unpacked tree or a lock (*.json). Reads only the description: use `verify` to check the
    bytes.
    """
    contents = read_contents(path)
    console.answer(_text(contents), _value(contents), schema="bundler.inspect/1", as_json=as_json)


def _text(contents: Contents) -> str:
    rows = [
        (
            entry.kind,
            artifact.key,
            human_bytes(artifact.size),
            _platforms(artifact.platforms),
            str(artifact.held_to),
        )
        for entry in contents.lock.entries
        for artifact in sorted(entry.artifacts, key=lambda artifact: artifact.key)
    ]
    table = console.table(("KIND", "NAME", "SIZE", "PLATFORMS", "HELD TO"), rows)
    remarks = lock_remarks(contents.lock)
    listing = "\n".join((table, "", *remarks)) if remarks else table
    if contents.bundle is None:
        return listing
    index = contents.bundle.index
    title = f"{index.name} {index.release}".rstrip()
    size = human_bytes(index.content_bytes)
    return (
        f"{title}, bundle {contents.bundle.id[:ID_CHARACTERS]}\n"
        f"{index.file_count} files, {size} unpacked, for {_platforms(index.platforms)}\n\n{listing}"
    )


def _value(contents: Contents) -> dict[str, Json]:
    bundle = contents.bundle
    described: dict[str, Json] = {}
    if bundle is not None:
        described = {
            "bundle": bundle.id,
            "name": bundle.index.name,
            "release": bundle.index.release,
            "files": bundle.index.file_count,
            "content_bytes": bundle.index.content_bytes,
        }
    return described | {
        "platforms": [str(platform) for platform in contents.lock.platforms],
        "artifacts": [
            {
                "kind": entry.kind,
                "entry": entry.id,
                "name": artifact.key,
                "version": artifact.version,
                "size": artifact.size,
                "platforms": [str(platform) for platform in artifact.platforms],
                "held_to": artifact.held_to.encode(),
                "remarks": list(artifact.remarks) if isinstance(artifact, Remarked) else [],
            }
            for entry in contents.lock.entries
            for artifact in sorted(entry.artifacts, key=lambda artifact: artifact.key)
        ],
    }


def _platforms(platforms: tuple[object, ...]) -> str:
    return ",".join(map(str, platforms)) or "any"
