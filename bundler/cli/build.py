"""`bundler build`: one manifest in, one verified archive out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import (
    NetworkOptions,
    json_option,
    network_options,
    request_options,
    source_date_epoch,
    store_option,
)
from bundler.cli.signers import key_signers, sign_option
from bundler.cli.wiring import open_build_context
from bundler.model.bundle import ID_CHARACTERS
from bundler.model.size_text import human_bytes
from bundler.pipeline.building import build as build_bundle
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.pipeline.assembling import Built
    from bundler.pipeline.context import Request


@click.command()
@request_options(keep_going=True)
@store_option
@network_options
@sign_option
@json_option
def build(
    request: Request,
    jobs: int | None,
    keep_going: bool,
    store: Path,
    network: NetworkOptions,
    signing_keys: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Build the archive that MANIFEST describes.

    Follows the lock beside the manifest, or writes one. What the store has is not downloaded again, and an
    interrupted build goes on where it was. The same lock and keys give the same bytes.
    """
    base, tell = request.manifest.parent, console.timed()
    request = replace(request, date_cap=source_date_epoch(), signers=key_signers(signing_keys))
    with open_build_context(store, network, base, jobs=jobs, keep_going=keep_going, quiet=False) as context:
        built = build_bundle(request, context)
    tell(
        "built",
        tr(
            "{size} fetched, {built_present_bytes} from the store",
            size=human_bytes(built.fetched_bytes),
            built_present_bytes=human_bytes(built.present_bytes),
        ),
    )
    console.answer(_text(built), _value(built), schema="bundler.build/1", as_json=as_json)


def _text(built: Built) -> str:
    size, content = human_bytes(built.archive.size), human_bytes(built.content_bytes)
    head = tr(
        "{path}: {size}, bundle {bundle_id}, {files} files, {content} unpacked",
        path=built.path,
        size=size,
        bundle_id=built.bundle_id[:ID_CHARACTERS],
        files=built.files,
        content=content,
    )
    return "\n".join((head, str(built.archive.digest), *built.remarks))


def _value(built: Built) -> dict[str, Json]:
    return {
        "archive": str(built.path),
        "size": built.archive.size,
        "sha256": built.archive.digest.hex,
        "bundle": built.bundle_id,
        "files": built.files,
        "content_bytes": built.content_bytes,
        "fetched_bytes": built.fetched_bytes,
        "present_bytes": built.present_bytes,
        "remarks": list(built.remarks),
    }
