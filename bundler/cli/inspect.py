"""`bundler inspect`: the content of a bundle or a lock, with sizes and what each artifact was checked against."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.bundle_sources import opened_quietly, source_argument, source_ca_option
from bundler.cli.carry_options import part_dir_option
from bundler.cli.delta_answer import share_lines, shares_value
from bundler.cli.options import json_option
from bundler.cli.trust_options import key_option, read_admission, signature_value
from bundler.fitted_table import GivingWay, of_linux
from bundler.model.artifact import Remarked, title_of
from bundler.model.bundle import SUMS_PATH
from bundler.model.digest import ID_CHARACTERS
from bundler.model.lock import lock_remarks
from bundler.model.size_text import human_bytes
from bundler.pipeline.opened_lock import BundleSummary, Contents, read_contents
from bundler.translation import tr
from bundler.trust.signature_verdict import SignatureVerdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json
    from bundler.trust.trusted_keys import TrustedKeys

_GIVING_WAY = {
    tr("PLATFORMS"): GivingWay(of_linux),
    tr("HELD TO"): GivingWay(keep="start"),
    tr("NAME"): GivingWay(keep="end", least=24),
}


@click.command()
@source_argument()
@key_option
@source_ca_option
@part_dir_option
@json_option
def inspect(source: str, keys: tuple[Path, ...], ca_file: Path | None, places: PartPlaces, as_json: bool) -> None:
    """Show what SOURCE holds, what vouched for it, and who has signed it.

    SOURCE is an archive, an unpacked tree, - for an archive on standard input, the URL of a running mirror, or a lock
    (*.json). Reads only the description: use `verify` to check the bytes.
    """
    admission = read_admission(keys, allow_unsigned=True)
    opened = partial(opened_quietly, ca_file=ca_file, places=places, admission=admission)
    contents = read_contents(source, opened)
    lines, value = _lines(contents, admission.trusted), partial(_value, contents, admission.trusted)
    console.answer(lines, value, schema="bundler.inspect/1", as_json=as_json)


def _lines(contents: Contents, trusted: TrustedKeys) -> Iterator[str]:
    if contents.bundle is not None:
        yield from _heading(contents.bundle, trusted)
    rows = [
        (
            entry.kind,
            title_of(artifact),
            human_bytes(artifact.size),
            _platforms(artifact.platforms),
            str(artifact.held_to),
        )
        for entry, artifact in contents.lock.artifacts
    ]
    yield from console.table_lines(
        (tr("KIND"), tr("NAME"), tr("SIZE"), tr("PLATFORMS"), tr("HELD TO")), rows, _GIVING_WAY
    )
    if remarks := lock_remarks(contents.lock):
        yield ""
        yield from remarks


def _heading(bundle: BundleSummary, trusted: TrustedKeys) -> Iterator[str]:
    yield f"{bundle.name} {bundle.release}".rstrip() + tr(", bundle {id}", id=bundle.id[:ID_CHARACTERS])
    size = human_bytes(bundle.content_bytes)
    yield tr(
        "{file_count} files, {size} unpacked, for {platforms}",
        file_count=bundle.file_count,
        size=size,
        platforms=_platforms(bundle.platforms),
    )
    yield _verdict(bundle, trusted).sentence
    yield from share_lines(bundle.left)
    yield ""


def _verdict(bundle: BundleSummary, trusted: TrustedKeys) -> SignatureVerdict:
    return judge(trusted, bundle.sums, bundle.signatures, SUMS_PATH)


def _value(contents: Contents, trusted: TrustedKeys) -> dict[str, Json]:
    bundle = contents.bundle
    described: dict[str, Json] = {}
    if bundle is not None:
        described = {
            "bundle": bundle.id,
            "name": bundle.name,
            "release": bundle.release,
            "files": bundle.file_count,
            "content_bytes": bundle.content_bytes,
            "left_to_bases": shares_value(bundle.left),
            **signature_value(_verdict(bundle, trusted)),
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
            for entry, artifact in contents.lock.artifacts
        ],
    }


def _platforms(platforms: tuple[object, ...]) -> str:
    return ",".join(map(str, platforms)) or "any"
