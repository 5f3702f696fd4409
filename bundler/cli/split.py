"""`bundler split`: an archive that is there, in parts for the media that carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.archive_files import archive_files
from bundler.carry.part_writer import ParityRequest, parts_output
from bundler.carry.splitting import SplitArchive, split_archive
from bundler.cli.carry_options import parity_option, part_dir_option, size_option
from bundler.cli.options import FILE, json_option, option
from bundler.cli.parts_answer import written_lines
from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json


@click.command()
@click.argument("archive", type=FILE)
@size_option
@parity_option
@option(
    "-o",
    "--output",
    variable="BUNDLER_SPLIT_DIRECTORY",
    type=FILE,
    metavar="DIRECTORY",
    help=tr("Where the parts go; by default beside the archive."),
)
@part_dir_option
@json_option
def split(
    archive: Path, part_bytes: int | None, parity: int | None, output: Path | None, places: PartPlaces, as_json: bool
) -> None:
    """Write ARCHIVE in parts that fit on the media which carry it.

    Parts are plain byte ranges: cat and tar are enough to read them. ARCHIVE may be in parts of another size itself. It
    stays as it is, and is compared with its .sha256 on the way. With --size whole, parts become one file again, and an
    archive that is not split can get parity.
    """
    files = archive_files(archive, places)
    out = (output or archive.parent) / files.where
    with console.progress(quiet=as_json) as progress:
        task = progress.task(files.where, files.size)
        wanted = None if parity is None else ParityRequest(parity, progress.task)
        done = split_archive(files, out, parts_output(part_bytes, parity=wanted, keep_whole=True), task)
        task.finish()
    console.answer(_text(out, done, parity=parity is not None), _value(done), schema="bundler.split/1", as_json=as_json)


def _text(out: Path, done: SplitArchive, *, parity: bool) -> str:
    head = f"{out}: {human_bytes(done.blob.size)}"
    return "\n".join((head, str(done.blob.digest), *written_lines(out, done.files, parity=parity)))


def _value(done: SplitArchive) -> dict[str, Json]:
    return {"size": done.blob.size, "sha256": done.blob.digest.hex, "written": [str(path) for path in done.files]}
