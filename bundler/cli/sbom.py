"""`bundler sbom`: what a bundle is made of, as a document for auditors and scanners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.bundle_sources import is_url, opened_source, shown_name, source_argument
from bundler.cli.carry_options import part_dir_option
from bundler.cli.document_output import document_output_option, write_document
from bundler.cli.options import option
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces

FORMATS = ("cyclonedx", "spdx")


@click.command()
@source_argument()
@option(
    "--format",
    "form",
    variable="BUNDLER_SBOM_FORMAT",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help=tr("CycloneDX 1.6 or SPDX 2.3, both as JSON."),
)
@document_output_option
@part_dir_option
def sbom(source: str, form: str, output: Path | None, places: PartPlaces) -> None:
    """Write the bill of materials of a bundle.

    SOURCE is an archive, its first part, an unpacked tree, or - for an archive on standard input. Every path of
    SHA256SUMS is a component, and so is every package that dpkg, apk or RPM has installed in an image. The same bundle
    gives the same bytes.
    """
    from bundler.materials.bill import bill_of_bundle
    from bundler.materials.cyclonedx import cyclonedx_pieces
    from bundler.materials.spdx import spdx_pieces

    if is_url(source):
        raise click.UsageError(
            tr("every layer is read: give an archive or a tree, such as `bundler unpack` makes of a URL")
        )
    with console.progress() as progress, opened_source(source, progress, places=places) as reader:
        task = progress.task(shown_name(source), None)
        bill = bill_of_bundle(reader, task)
        task.finish()
    write_document(spdx_pieces(bill) if form == "spdx" else cyclonedx_pieces(bill), output)
