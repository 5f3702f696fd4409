"""`bundler check`: read a manifest and report all of its problems."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import json_option, manifest_argument, set_option
from bundler.kinds import KINDS
from bundler.manifest.reader import load_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.model.manifest import Manifest


@click.command()
@manifest_argument
@set_option
@json_option
def check(manifest: Path, overrides: dict[str, str], as_json: bool) -> None:
    """Report every problem of MANIFEST, with its line.

    Touches no network.
    """
    found = load_manifest(manifest, tuple(KINDS.values()), overrides)
    for warning in found.warnings:
        console.warn(str(warning))
    console.answer(_text(found), partial(_value, found), schema="bundler.check/1", as_json=as_json)


def _text(manifest: Manifest) -> str:
    counts = ", ".join(f"{len(entries)} {kind}" for kind, entries in manifest.entries.items() if entries)
    return f"{manifest.archive_name}: {counts}; {', '.join(map(str, manifest.platforms))}"


def _value(manifest: Manifest) -> dict[str, Json]:
    return {
        "archive": manifest.archive_name,
        "digest": str(manifest.digest),
        "platforms": [str(platform) for platform in manifest.platforms],
        "entries": {kind: [entry.id for entry in entries] for kind, entries in manifest.entries.items()},
        "warnings": [str(warning) for warning in manifest.warnings],
    }
