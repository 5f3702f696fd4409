"""`bundler report`: one page for whoever must approve that a bundle is carried in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler.archive.delta_marks import base_shares
from bundler.archive.opened_bundle import described
from bundler.cli.bundle_sources import opened_quietly, shown_name, source_argument, source_ca_option
from bundler.cli.document_output import document_output_option, write_document
from bundler.cli.options import option
from bundler.model.diff import lock_versions
from bundler.model.upgrade import Changes, upgrade_steps
from bundler.pipeline.opened_lock import bundled_lock, read_contents
from bundler.shell_completion import complete_files
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader
    from bundler.pipeline.opened_lock import Contents


@click.command()
@source_argument()
@option(
    "--against",
    metavar="OLD",
    shell_complete=complete_files,
    help=tr("Tell first what changed since this bundle or lock."),
)
@document_output_option
@source_ca_option
def report(source: str, against: str | None, output: Path | None, ca_file: Path | None) -> None:
    """Write the report on a bundle for whoever must approve its transfer.

    One HTML page in English and Chinese that loads nothing from elsewhere: what changed, what wants a second look, what
    comes in, from where, and what vouched for it. SOURCE and OLD are an archive, an unpacked tree or the URL of a
    running mirror; OLD may be a lock. Reads only the description: use `verify` to check the bytes.
    """
    from bundler.report.page import report_pieces
    from bundler.report.transfer_report import transfer_report

    opened = partial(opened_quietly, ca_file=ca_file)
    before = None if against is None else read_contents(against, opened)
    with opened(source) as reader:
        bundle, left = described(reader), _left(reader)
    changes = None if before is None else _changes(before, bundle.lock, source=source, against=str(against))
    content = transfer_report(
        bundle.index, bundle_id=bundle.id, signatures=bundle.signatures, changes=changes, left=left
    )
    write_document(report_pieces(content), output)


def _left(reader: BundleReader) -> tuple[tuple[str, int, int], ...]:
    shares = base_shares(reader.checked.index) if reader.gives_all else ()
    return tuple((share.base.plain, share.files, share.content_bytes) for share in shares)


def _changes(before: Contents, lock: bytes, *, source: str, against: str) -> Changes:
    old = before.bundle
    steps = upgrade_steps(lock_versions(before.lock), lock_versions(bundled_lock(lock, source)))
    return Changes(shown_name(against), "", "", steps) if old is None else Changes(old.name, old.release, old.id, steps)
