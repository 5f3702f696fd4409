"""Check an archive, or an unpacked tree, against its own bundle.json. Constant memory; finds all differences."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from bundler.archive.archive_files import ArchiveFiles, as_files
from bundler.archive.archive_reader import open_archive
from bundler.archive.beside_archive import held_to_checksum
from bundler.archive.bundle_signatures import bundle_verdict, tree_signatures
from bundler.archive.delta_marks import base_shares, bases_of
from bundler.archive.exact_form import ExactForm, compare_form
from bundler.archive.faults import OtherFormError
from bundler.archive.hashing import HashThread
from bundler.archive.kept_subset import read_subset
from bundler.archive.open_beneath import open_root
from bundler.archive.ownership import archive_ownership, tree_ownership
from bundler.archive.tree import check_files, is_tree, tree_index, unlisted_paths
from bundler.archive.verify_report import VerifyReport
from bundler.durable import storage_errors
from bundler.translation import tr
from bundler.trust.admission import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bundler.archive.bundle_reader import ArchivedFile, BundleReader
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.ownership import Ownership
    from bundler.model.bundle import IndexedFile
    from bundler.model.bundle_path import BundlePath
    from bundler.model.delta_mark import Base
    from bundler.model.progress import Task
    from bundler.trust.admission import Admission


def verify_bundle(
    source: Path | ArchiveFiles,
    task: Task,
    *,
    strict: bool = False,
    exact: bool = False,
    admission: Admission = ANYTHING,
) -> VerifyReport:
    """Check a bundle: a directory as `verify_tree` does, anything else as `verify_archive` does."""
    if isinstance(source, ArchiveFiles) and source.pipe is not None:
        report = _compared(source, task, admission, own_form=True, exact=exact)
        return replace(report, form=ExactForm(not_compared=tr("a pipe is read only once"))) if exact else report
    if isinstance(source, ArchiveFiles) or not is_tree(source):
        return verify_archive(source, task, exact=exact, admission=admission)
    report = verify_tree(source, task, strict=strict, admission=admission)
    return replace(report, form=ExactForm(not_compared=tr("a tree has no compressed form"))) if exact else report


def verify_archive(
    path: Path | ArchiveFiles, task: Task, *, exact: bool = False, admission: Admission = ANYTHING
) -> VerifyReport:
    """Read an archive (or its parts) to its end and compare every file with bundle.json.

    The compressed form has to be the one that bundler writes, as far as that shows without compressing again.

    Arguments:
        path: the archive, or its name, or that of any of its parts.
        exact: whether one that is intact so far is compressed again as well, and compared to the last bit; before that
            it is held to the checksum of the whole archive, where that lies beside it and is signed.
        admission: whose signatures it needs.
        task: told the bytes of content and advanced by them; not finished here.

    Raises what `open_archive` raises, as soon as the bytes cannot be read as an archive any further.
    """
    try:
        report = _compared(path, task, admission, own_form=True, exact=exact)
    except OtherFormError:
        # what is wrong with the content says more than that another program compressed it
        report = _compared(path, task, admission, own_form=False, exact=exact)
        if report.intact:
            raise
    if not (exact and report.intact):
        return report
    task.expect(report.content_bytes)
    return replace(report, form=compare_form(path, report.deflate, task))


def _compared(
    path: Path | ArchiveFiles, task: Task, admission: Admission, *, own_form: bool, exact: bool
) -> VerifyReport:
    with open_archive(held_to_checksum(as_files(path), admission, exact=exact), own_form=own_form) as archive:
        return verify_files(archive, task, admission)


def verify_files(reader: BundleReader, task: Task, admission: Admission = ANYTHING) -> VerifyReport:
    """Read all files of a bundle, once its signatures are looked at, and compare each with bundle.json.

    Arguments:
        task: told the bytes of content and advanced by them; not finished here.
        admission: whose signatures it needs.

    Raises IntegrityError (SIGNATURE_MISSING, SIGNATURE_UNTRUSTED), and what the reader raises.
    """
    checked = reader.checked
    verdict = bundle_verdict(checked, reader.signatures, admission)
    expected = reader.expected(checked.listed.keys())
    task.expect(checked.carried_bytes if reader.gives_all else checked.total_bytes)
    with HashThread() as digest:
        intact: list[IndexedFile] = []
        changed: list[str] = []
        unlisted: list[str] = []
        found: set[str] = set()
        for file in reader.files(checked.listed.keys()):
            found.add(file.path)
            if file.listed is None:
                unlisted.append(file.path)
            elif file.path not in expected:
                # a signature, at which the verdict has looked
                continue
            elif file.size == file.listed.blob.size and _hex(file, digest, task) == file.listed.blob.digest.hex:
                intact.append(file.listed)
            else:
                changed.append(file.path)
    missing = {*expected - found, *reader.missing_directories}
    ownership = archive_ownership(reader.faults)
    report = _report(
        checked,
        [file for file in intact if file.path in checked.listed],
        missing,
        changed,
        unlisted,
        ownership,
        unlisted_matters=True,
    )
    return replace(report, verdict=verdict, left=base_shares(checked.index) if reader.gives_all else ())


def _hex(file: ArchivedFile, digest: HashThread, task: Task) -> str:
    """Return the SHA-256 of a file's content."""
    if file.digest is not None:
        task.advance(file.size)
        return file.digest.hex
    digest.begin()
    for chunk in file.chunks:
        digest.update(chunk)
        task.advance(len(chunk))
    return digest.hex()


def verify_tree(root: Path, task: Task, *, strict: bool = False, admission: Admission = ANYTHING) -> VerifyReport:
    """Compare every listed file below a directory with its bundle.json, once its signatures are looked at.

    Arguments:
        strict: files that bundle.json does not list are an error, not a note.
        admission: whose signatures it needs.
        task: told the bytes of content and advanced by them; not finished here.

    No link below the root is followed: a link instead of a listed file is a changed file. What subset.json leaves out
    may be absent. Raises BundleFormatError (BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_FORMAT_NEWER), IntegrityError (a
    subset.json that is none; SIGNATURE_MISSING, SIGNATURE_UNTRUSTED), StorageError.
    """
    checked = tree_index(root)
    task.expect(checked.total_bytes)
    with storage_errors(root):
        directory = open_root(root)
        try:
            verdict = bundle_verdict(checked, tree_signatures(directory), admission)
            subset = read_subset(directory, checked)
            states = list(check_files(directory, checked.listed.values(), task))
            unlisted = list(unlisted_paths(directory, checked))
            ownership = tree_ownership(directory, checked)
        finally:
            os.close(directory)
    intact = [file for file, state in states if state == "intact"]
    absent = [file for file, state in states if state == "missing"]
    missing = [file.path for file in absent if subset is None or subset.wants(file)]
    changed = [file.path for file, state in states if state == "changed"]
    report = _report(checked, intact, missing, changed, unlisted, ownership, unlisted_matters=strict)
    left_out = len(absent) - len(missing)
    return replace(report, left_out=left_out, verdict=verdict, wanting=_wanting(checked, missing, report))


def _wanting(checked: CheckedIndex, missing: list[BundlePath], report: VerifyReport) -> tuple[Base, ...]:
    """Return which bases lack in a tree that is not intact for want of them alone."""
    files = [checked.listed[path] for path in missing]
    if report.changed or not report.ownership.intact or any(file.mark is None for file in files):
        return ()
    return bases_of(checked.index, files)


def _report(
    checked: CheckedIndex,
    intact: list[IndexedFile],
    missing: Iterable[str],
    changed: Iterable[str],
    unlisted: Iterable[str],
    ownership: Ownership,
    *,
    unlisted_matters: bool,
) -> VerifyReport:
    return VerifyReport(
        where=checked.where,
        id=checked.id,
        name=checked.index.name,
        release=checked.index.release,
        deflate=checked.index.deflate,
        files=len(intact),
        content_bytes=sum(file.blob.size for file in intact),
        missing=tuple(sorted(missing)),
        changed=tuple(sorted(changed)),
        unlisted=tuple(sorted(unlisted)),
        unlisted_matters=unlisted_matters,
        ownership=ownership,
    )
