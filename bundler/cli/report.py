"""`bundler report`: one page for whoever must approve that a bundle is carried in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from bundler.archive.opened_bundle import described
from bundler.cli.bundle_sources import opened_quietly, shown_name, source_argument, source_ca_option
from bundler.cli.carry_options import part_dir_option
from bundler.cli.document_output import document_output_option, write_document
from bundler.cli.options import option
from bundler.cli.trust_options import key_option, read_admission
from bundler.model.bundle import SUMS_PATH
from bundler.model.diff import lock_versions
from bundler.model.upgrade import Changes, upgrade_steps
from bundler.pipeline.opened_lock import bundled_lock, read_contents
from bundler.shell_completion import complete_files
from bundler.translation import tr
from bundler.trust.signature_verdict import judge

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.part_set import PartPlaces
    from bundler.model.diff import Versions
    from bundler.pipeline.opened_lock import Contents
    from bundler.trust.admission import Admission
    from bundler.trust.signature_verdict import SignatureVerdict


@click.command()
@source_argument()
@option(
    "--against",
    metavar="OLD",
    shell_complete=complete_files,
    help=tr("Tell first what changed since this bundle or lock."),
)
@key_option
@document_output_option
@source_ca_option
@part_dir_option
def report(
    source: str,
    against: str | None,
    keys: tuple[Path, ...],
    output: Path | None,
    ca_file: Path | None,
    places: PartPlaces,
) -> None:
    """Write the report on a bundle for whoever must approve its transfer.

    One HTML page in English and Chinese that loads nothing from elsewhere: what changed, what wants a second look, what
    comes in, from where, what vouched for it, and whose signatures hold: of --key, or of those whom this host trusts.
    SOURCE and OLD are an archive, its first part or the directory of its parts, an unpacked tree or the URL of a
    running mirror; OLD may be a lock. Reads only the description: use `verify` to check the bytes.
    """
    from bundler.report.page import report_pieces
    from bundler.report.transfer_report import transfer_report

    admission = read_admission(keys, allow_unsigned=True)
    opened = partial(opened_quietly, ca_file=ca_file, places=places, admission=admission)
    # a large lock goes before the next one comes
    before = None if against is None else _earlier(read_contents(against, opened), against)
    with opened(source) as reader:
        bundle, verdict = described(reader), _verdict(reader, admission)
    changes = None if before is None else _changes(before, lock_versions(bundled_lock(bundle.lock, source)))
    content = transfer_report(bundle.index, bundle_id=bundle.id, verdict=verdict, changes=changes, left=bundle.left)
    write_document(report_pieces(content), output)


def _verdict(reader: BundleReader, admission: Admission) -> SignatureVerdict:
    return judge(admission.trusted, reader.checked.listed[SUMS_PATH].blob.digest, reader.signatures, SUMS_PATH)


class _Predecessor(NamedTuple):
    """What a bundle is compared with: its name, release and id, and what it has."""

    name: str
    release: str
    id: str
    versions: Versions


def _earlier(contents: Contents, against: str) -> _Predecessor:
    versions, old = lock_versions(contents.lock), contents.bundle
    if old is None:
        return _Predecessor(shown_name(against), "", "", versions)
    return _Predecessor(old.name, old.release, old.id, versions)


def _changes(before: _Predecessor, versions: Versions) -> Changes:
    return Changes(before.name, before.release, before.id, upgrade_steps(before.versions, versions))
