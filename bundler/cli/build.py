"""`bundler build`: one manifest in, one verified archive out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bundler import console
from bundler.cli.carry_options import base_option, parity_option, patches_option, split_option
from bundler.cli.options import (
    NetworkOptions,
    json_option,
    network_options,
    option,
    request_options,
    source_date_epoch,
    store_option,
)
from bundler.cli.parts_answer import written_lines
from bundler.cli.signers import key_signers, sign_option
from bundler.cli.wiring import open_build_context
from bundler.model.digest import ID_CHARACTERS
from bundler.model.size_text import human_bytes
from bundler.pipeline.bases import open_bases
from bundler.pipeline.building import build as build_bundle
from bundler.pipeline.context import CarryForm
from bundler.translation import tr

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
@option("--sbom", is_flag=True, help=tr("Put a bill of materials into the bundle and another beside the archive."))
@sign_option
@base_option
@patches_option
@json_option
def build(
    request: Request,
    jobs: int | None,
    keep_going: bool,
    part_bytes: int | None,
    parity: int | None,
    store: Path,
    network: NetworkOptions,
    sbom: bool,
    signing_keys: tuple[Path, ...],
    bases: tuple[str, ...],
    no_patches: bool,
    as_json: bool,
) -> None:
    """Build the archive that MANIFEST describes.

    Follows the lock beside the manifest, or writes one. What the store has is not downloaded again, and an
    interrupted build goes on where it was. The same lock and keys give the same bytes.

    With --base it is a delta, which `unpack --root` completes where a bundle of OLD is.
    """
    _require_bases(bases, click.get_current_context().get_parameter_source("no_patches"))
    base, tell = request.manifest.parent, console.timed()
    carry, signers = CarryForm(part_bytes, parity), key_signers(signing_keys)
    request = replace(request, date_cap=source_date_epoch(), carry=carry, sbom=sbom, signers=signers)
    request = replace(request, bases=open_bases(bases), patches=not no_patches)
    with open_build_context(store, network, base, jobs=jobs, keep_going=keep_going, quiet=False) as context:
        built = build_bundle(request, context)
    fetched, present = human_bytes(built.fetched_bytes), human_bytes(built.present_bytes)
    tell(
        tr("built"),
        tr("{size} fetched, {built_present_bytes} from the store", size=fetched, built_present_bytes=present),
    )
    console.answer(_text(built, parity=parity is not None), _value(built), schema="bundler.build/1", as_json=as_json)


def _require_bases(bases: tuple[str, ...], no_patches: ParameterSource | None) -> None:
    # the environment is meant for builds with a base, whenever one comes
    if no_patches is ParameterSource.COMMANDLINE and not bases:
        raise click.UsageError(tr("--no-patches goes with --base"))


def _text(built: Built, *, parity: bool) -> str:
    size, content = human_bytes(built.archive.size), human_bytes(built.content_bytes)
    head = tr(
        "{path}: {size}, bundle {bundle_id}, {files} files, {content} unpacked",
        path=built.path,
        size=size,
        bundle_id=built.bundle_id[:ID_CHARACTERS],
        files=built.files,
        content=content,
    )
    delta = () if not built.bases else (_delta_line(built),)
    bill = () if built.sbom is None else (tr("{path}: bill of materials", path=built.sbom),)
    parts = written_lines(built.path, built.written, parity=parity)
    return "\n".join((head, str(built.archive.digest), *parts, *delta, *bill, *built.remarks))


def _delta_line(built: Built) -> str:
    return tr(
        "a delta: carries {carried} of it, and leaves {left_out} files to {bases}",
        carried=human_bytes(built.carried_bytes),
        left_out=built.left_out,
        bases=", ".join(map(str, built.bases)),
    )


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
        "written": [str(path) for path in built.written],
        "remarks": list(built.remarks),
        "bases": [base.encode() for base in built.bases],
        "carried_bytes": built.carried_bytes,
        "left_out": built.left_out,
        "sbom": None if built.sbom is None else str(built.sbom),
    }
