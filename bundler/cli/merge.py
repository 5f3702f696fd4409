"""`bundler merge`: a delta and what it builds on, as a full archive again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.carry_options import part_dir_option
from bundler.cli.options import json_option, output_option
from bundler.cli.signers import key_signers, sign_option
from bundler.cli.trust_options import admission_option, read_admission
from bundler.model.digest import ID_CHARACTERS
from bundler.model.size_text import human_bytes
from bundler.pipeline.merging import MergeRequest
from bundler.pipeline.merging import merge as merge_bundles
from bundler.shell_completion import complete_files
from bundler.source.open_source import PIPE, open_source
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json
    from bundler.pipeline.merging import Merged


def _several(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) < 2 or not all(values):
        raise click.BadParameter(tr("name the bundles that the delta builds on, and the delta last"))
    if PIPE in values:
        raise click.BadParameter(tr("each archive is read twice: save what comes on standard input first"))
    return values


@click.command()
@click.argument("sources", nargs=-1, required=True, callback=_several, shell_complete=complete_files)
@output_option
@sign_option
@admission_option
@part_dir_option
@json_option
def merge(
    sources: tuple[str, ...],
    output: str,
    signing_keys: tuple[Path, ...],
    keys: tuple[Path, ...],
    allow_unsigned: bool,
    places: PartPlaces,
    as_json: bool,
) -> None:
    """Make the full archive of a delta: the last of SOURCES, with the bundles before it as what it builds on.

    These are archives or trees, oldest first; between them may stand the deltas that lead from one to the next. The
    archive has the bytes that `build` without --base gives; signatures are made anew, with --sign.
    """
    tell = console.timed(quiet=as_json)
    admission = read_admission(keys, allow_unsigned=allow_unsigned)
    opened, admitted = partial(open_source, places=places), partial(open_source, admission=admission, places=places)
    request = MergeRequest(sources, output, opened, admitted, key_signers(signing_keys))
    with console.progress(quiet=as_json) as progress:
        merged = merge_bundles(request, progress)
    tell(tr("merged"), human_bytes(merged.content_bytes))
    console.answer(_text(merged), _value(merged), schema="bundler.merge/1", as_json=as_json)


def _text(merged: Merged) -> str:
    head = tr(
        "{path}: {size}, bundle {bundle_id}, {files} files, {content} unpacked",
        path=merged.path,
        size=human_bytes(merged.archive.size),
        bundle_id=merged.bundle_id[:ID_CHARACTERS],
        files=merged.files,
        content=human_bytes(merged.content_bytes),
    )
    return "\n".join((head, str(merged.archive.digest)))


def _value(merged: Merged) -> dict[str, Json]:
    return {
        "archive": str(merged.path),
        "size": merged.archive.size,
        "sha256": merged.archive.digest.hex,
        "bundle": merged.bundle_id,
        "files": merged.files,
        "content_bytes": merged.content_bytes,
    }
