"""What lies beside an archive and vouches for it: `NAME.tar.gz.sha256` with signatures, and signatures of SHA256SUMS.

An archive never changes once it is built, so whoever signs it later leaves the signature of its SHA256SUMS beside it:
NAME.tar.gz.SHA256SUMS.sig.KEYID. docs/formats.md, "Signatures".
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bundler.archive.part_names import BILL, WHOLE_SUM
from bundler.directory_walk import unlink_at
from bundler.durable import storage_errors
from bundler.model.bundle import SUMS_PATH
from bundler.model.digest import Digest
from bundler.partial_file import write_durably
from bundler.trust.signature_files import signatures_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bundler.archive.archive_files import ArchiveFiles
    from bundler.trust.admission import Admission

MAX_CHECKSUM_BYTES = 64 * 1024
# sha256sum(1) puts a backslash before a line whose name it has escaped
_CHECKSUM = re.compile(rb"\\?(?P<hex>[0-9a-f]{64}) [ *][^\n]+\n?")


def checksum_path(archive: Path) -> Path:
    """Return where the checksum of a whole archive lies."""
    return archive.with_name(f"{archive.name}{WHOLE_SUM}")


def detached_path(archive: Path) -> Path:
    """Return the path after which signatures of SHA256SUMS beside an archive are named."""
    return archive.with_name(f"{archive.name}.{SUMS_PATH}")


def detached_signatures(files: ArchiveFiles) -> dict[str, bytes]:
    """Return the signatures of SHA256SUMS that lie beside an archive, by their paths in a tree. Raises StorageError."""
    ahead = f"{files.where}."
    return {name.removeprefix(ahead): data for name, data in _found(files, detached_path).items()}


def _found(files: ArchiveFiles, signed: Callable[[Path], Path]) -> dict[str, bytes]:
    """Return signatures by their names; of two of one name that which lies with the part that was named."""
    found: dict[str, bytes] = {}
    for directory in reversed(files.directories):
        found |= signatures_beside(signed(directory / files.where))
    return found


def read_checksum(archive: Path) -> tuple[bytes, Digest | None]:
    """Return the text that lies beside an archive as its checksum, b"" for none, and the digest that it holds."""
    path = checksum_path(archive)
    with storage_errors(path):
        try:
            with path.open("rb") as stream:
                text = stream.read(MAX_CHECKSUM_BYTES)
        except FileNotFoundError:
            return b"", None
    match = _CHECKSUM.fullmatch(text)
    return text, Digest("sha256", match["hex"].decode()) if match else None


def held_to_checksum(files: ArchiveFiles, admission: Admission, *, exact: bool = False) -> ArchiveFiles:
    """Look at the signatures of an archive's checksum, where those lie beside it, and return the archive.

    One trusted signature is enough here, since it only asks for more: SHA256SUMS is what enough of them have to sign.

    Arguments:
        exact: its bytes then have to be those whose checksum is signed; all of them are hashed.

    Raises IntegrityError (SIGNATURE_UNTRUSTED) where the signatures beside it are by nobody who is trusted.
    """
    if files.whole is None or not admission.trusted.keys:
        return files
    signatures, (text, digest) = _found(files, checksum_path), found_checksum(files)
    if not signatures or not text:
        return files
    signed = checksum_path(files.whole).name
    verdict = admission.verdict(Digest.sha256(text), signatures, signed=signed, where=str(files.whole), needed=1)
    return replace(files, digest=digest) if exact and verdict.signers else files


def found_checksum(files: ArchiveFiles) -> tuple[bytes, Digest | None]:
    """Return what `read_checksum` does, from whichever directory of the archive's files has one."""
    found = (read_checksum(directory / files.where) for directory in files.directories)
    return next((one for one in found if one[0]), (b"", None))


def all_signatures(files: ArchiveFiles) -> dict[str, bytes]:
    """Return the signatures of both kinds that lie beside an archive, by their names. Raises StorageError."""
    return _found(files, detached_path) | _found(files, checksum_path)


def keep_signatures(archive: Path, signatures: Mapping[str, bytes]) -> None:
    """Put signatures beside an archive that has been written anew, as far as it lacks them. Raises StorageError."""
    for name, data in signatures.items():
        path = archive.with_name(name)
        if not os.path.lexists(path):
            write_durably(path, data)


def stale_beside(archive: Path, digest: Digest) -> list[Path]:
    """Return what lies beside an archive and is nothing of what is about to take its name: signatures, and a bill.

    Arguments:
        digest: of the new archive.
    """
    if read_checksum(archive)[1] == digest:
        return []
    signed = (checksum_path(archive), detached_path(archive))
    signatures = [path.with_name(name) for path in signed for name in signatures_beside(path)]
    return [*signatures, archive.with_name(f"{archive.name}{BILL}")]


def remove_files(paths: list[Path]) -> None:
    """Remove files that may be gone already. Raises StorageError."""
    for path in paths:
        with storage_errors(path):
            unlink_at(path)
