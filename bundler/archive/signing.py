"""Sign bundles: one that is being built, one that is carried as an archive, one that is unpacked.

What is signed of a bundle is its SHA256SUMS, and of an archive also the line with its own checksum. Nothing that is
there changes, so that several people can sign one after the other, and what they have signed may be split meanwhile.
Nobody signs what is not whole: every byte is read before.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from bundler.archive.archive_files import archive_files, opened
from bundler.archive.archive_output import sums_line
from bundler.archive.archive_reader import open_archive
from bundler.archive.beside_archive import checksum_path, detached_path, found_checksum
from bundler.archive.bundle_files import OWN_KIND
from bundler.archive.faults import damaged
from bundler.archive.part_set import NOWHERE_ELSE
from bundler.archive.tree import is_tree, tree_index
from bundler.archive.verify import verify_bundle, verify_tree
from bundler.archive.verify_report import require_intact
from bundler.durable import storage_errors
from bundler.model.bundle import SUMS_PATH, sums_pieces
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.placement import Placement
from bundler.model.signature_name import further_name
from bundler.partial_file import write_durably
from bundler.translation import tr
from bundler.trust.sign_command import checked_signature
from bundler.trust.signature_files import name_for, signatures_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from bundler.archive.archive_files import ArchiveFiles
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.part_set import PartPlaces
    from bundler.model.progress import Task
    from bundler.trust.interface import Signer

_READ_BYTES = 1024 * 1024


def signature_placements(files: Sequence[Placement], signers: Iterable[Signer]) -> list[Placement]:
    """Return the signatures of a bundle that is about to be written, each a file of it.

    Arguments:
        files: the complete list, as `bundle_files` makes it.

    Raises IntegrityError (SIGNING_FAILED), and what the signers raise.
    """
    sums = next(file for file in files if file.path == SUMS_PATH)
    there: dict[str, bytes] = {}
    for signer in signers:
        signature = checked_signature(signer, sums.blob.digest, _pieces(sums))
        there[name_for(SUMS_PATH, signer.key, sums.blob.digest, there)] = signature
    return [Placement(BundlePath(name), signature, OWN_KIND) for name, signature in there.items()]


def _pieces(file: Placement) -> Iterator[bytes]:
    match file.content:
        case bytes():
            return iter((file.content,))
        case Blob():
            raise TypeError(f"{file.path} is generated, and no blob of the store")
        case _:
            return file.content.pieces()


def sign_bundle(path: Path, signers: Sequence[Signer], task: Task, places: PartPlaces = NOWHERE_ELSE) -> list[Path]:
    """Sign an archive, or the tree that it was unpacked into; return the signatures that it has by these signers.

    Arguments:
        path: the tree, or the archive by its own name, that of any of its parts, or their directory.
        task: advanced by the bytes of content that are read; not finished here.
        places: where else parts may lie.

    Raises IntegrityError (BUNDLE_DAMAGED: nothing is signed then; SIGNING_FAILED), BundleFormatError, StorageError, and
    what the signers raise.
    """
    if is_tree(path):
        return _sign_tree(path, signers, task)
    return _sign_archive(archive_files(path, places), path, signers, task)


def sign_file(path: Path, data: bytes, signers: Iterable[Signer]) -> list[Path]:
    """Sign a small file, whose signatures lie beside it; return their paths. Raises as `sign_bundle` does."""
    return _sign_beside(path, Digest.sha256(data), lambda: iter((data,)), signers)


def _sign_tree(root: Path, signers: Iterable[Signer], task: Task) -> list[Path]:
    report = verify_tree(root, task)
    require_intact(report)
    if report.left_out:
        got = tr("{left_out} of its files left out", left_out=report.left_out)
        raise damaged(str(root), tr("only the whole of a bundle can be signed"), want=tr("all of its files"), got=got)
    checked = tree_index(root)
    return _sign_beside(root / SUMS_PATH, _sums_digest(checked), lambda: _sums(checked), signers)


def _sign_archive(files: ArchiveFiles, path: Path, signers: Sequence[Signer], task: Task) -> list[Path]:
    whole = files.whole or path
    text, digest = found_checksum(files)
    if text and digest is None:
        raise damaged(
            str(checksum_path(whole)),
            tr("is no checksum"),
            want=tr("that of {name}", name=whole.name),
            got=tr("something else"),
        )
    require_intact(verify_bundle(replace(files, digest=digest), task))
    if digest is None:
        text = sums_line(_whole_digest(files), whole.name)
        write_durably(checksum_path(whole), text)
    with open_archive(files) as archive:
        checked, there = archive.checked, archive.signatures
    written = []
    for signer in signers:
        if any(signer.key.verifies(_sums_digest(checked), signature) for signature in there.values()):
            continue
        signature = checked_signature(signer, _sums_digest(checked), _sums(checked))
        beside = detached_path(whole)
        written.append(beside.with_name(further_name(beside.name, signer.key.id)))
        write_durably(written[-1], signature)
    return [*written, *sign_file(checksum_path(whole), text, signers)]


def _sign_beside(
    path: Path, digest: Digest, text: Callable[[], Iterator[bytes]], signers: Iterable[Signer]
) -> list[Path]:
    """Sign a file by its digest, and write each signature beside it."""
    written = []
    for signer in signers:
        name = name_for(path.name, signer.key, digest, signatures_beside(path))
        signature = checked_signature(signer, digest, text())
        written.append(path.with_name(name))
        write_durably(written[-1], signature)
    return written


def _sums_digest(checked: CheckedIndex) -> Digest:
    return checked.listed[SUMS_PATH].blob.digest


def _sums(checked: CheckedIndex) -> Iterator[bytes]:
    return sums_pieces(checked.index.files, checked.digest)


def _whole_digest(files: ArchiveFiles) -> Digest:
    digest = hashlib.sha256()
    with opened(files) as stream, storage_errors(files.where):
        while data := stream.read(_READ_BYTES):
            digest.update(data)
    return Digest("sha256", digest.hexdigest())
