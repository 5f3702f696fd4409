"""`bundler build`: one manifest in, one verified archive out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.carry_options import parity_option, split_option
from bundler.cli.options import (
    NetworkOptions,
    json_option,
    network_options,
    request_options,
    source_date_epoch,
    store_option,
)
from bundler.cli.parts_answer import parts_lines
from bundler.cli.wiring import open_build_context
from bundler.model.bundle import ID_CHARACTERS
from bundler.model.size_text import human_bytes
from bundler.pipeline.building import build as build_bundle
from bundler.pipeline.context import CarryForm

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.pipeline.assembling import Built
    from bundler.pipeline.context import Request


@click.command()
@request_options(keep_going=True)
@split_option
@parity_option
@store_option
@network_options
@json_option
def build(
    request: Request,
    jobs: int | None,
    keep_going: bool,
    part_bytes: int | None,
    parity: int | None,
    store: Path,
    network: NetworkOptions,
    as_json: bool,
) -> None:
    """Build the archive that MANIFEST describes.

    Follows the lock beside the manifest, or writes one. What the store has is not downloaded again, and an
    interrupted build goes on where it was. The same lock gives the same bytes.
    """
    base = request.manifest.parent
    with open_build_context(store, network, base, jobs=jobs, keep_going=keep_going, quiet=False) as context:
        built = build_bundle(
            replace(request, date_cap=source_date_epoch(), carry=CarryForm(part_bytes, parity)), context
        )
    console.answer(_text(built), _value(built), schema="bundler.build/1", as_json=as_json)


def _text(built: Built) -> str:
    size = human_bytes(built.archive.size)
    head = f"{built.path}: {size}, bundle {built.bundle_id[:ID_CHARACTERS]}"
    return "\n".join((head, str(built.archive.digest), *parts_lines(built.path, built.written), *built.remarks))


def _value(built: Built) -> dict[str, Json]:
    return {
        "archive": str(built.path),
        "size": built.archive.size,
        "sha256": built.archive.digest.hex,
        "bundle": built.bundle_id,
        "files": built.files,
        "written": [str(path) for path in built.written],
        "remarks": list(built.remarks),
    }
