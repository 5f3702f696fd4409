"""`bundler unpack`: an archive into a directory, verified on the way, complete or absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.unpack import Unpacked
from bundler.archive.unpack import unpack as unpack_archive
from bundler.cli.options import FILE, json_option, option
from bundler.model.bundle import ID_CHARACTERS

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json


@click.command()
@click.argument("archive", type=FILE)
@option(
    "-C",
    "--directory",
    type=FILE,
    required=True,
    help="Where to; made when it is absent, others' files are left alone.",
)
@json_option
def unpack(archive: Path, directory: Path, as_json: bool) -> None:
    """Unpack ARCHIVE, verifying every byte.

    ARCHIVE may be the first of several parts. The bundle is there completely or not at all; after an interruption run
    the same command again.
    """
    with console.progress(quiet=as_json) as progress:
        task = progress.task(archive.name, None)
        unpacked = unpack_archive(archive, directory, task)
        task.finish(_outcome(unpacked))
    console.answer(_text(unpacked), _value(unpacked), schema="bundler.unpack/1", as_json=as_json)


def _outcome(unpacked: Unpacked) -> str:
    return "present" if unpacked.present else "unpacked"


def _text(unpacked: Unpacked) -> str:
    text = f"{unpacked.directory}: bundle {unpacked.id[:ID_CHARACTERS]} {_outcome(unpacked)}, {unpacked.files} files"
    return "\n".join(filter(None, (unpacked.removed.sentence, text)))


def _value(unpacked: Unpacked) -> dict[str, Json]:
    return {
        "directory": str(unpacked.directory),
        "bundle": unpacked.id,
        "present": unpacked.present,
        "files": unpacked.files,
        "removed_bytes": unpacked.removed.bytes,
    }
