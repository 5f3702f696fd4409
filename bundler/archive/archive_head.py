"""What stands before the content of an archive: SHA256SUMS and its signatures, read before anything else is.

In an archive that bundler has written they follow bundle.json; in another order they are not found here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

from bundler.archive.bundle_reader import ArchivedFile
from bundler.model.bundle import SUMS_PATH, is_signature, sums_pieces
from bundler.model.digest import Digest
from bundler.model.signature_name import MAX_SIGNATURE_BYTES, MAX_SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.tar_reader import TarMember, TarReader

_LINES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class ArchiveHead:
    """Members that were read ahead.

    Arguments:
        sums: the SHA-256 of the archive's SHA256SUMS; None where it was not read ahead.
        signatures: by their paths.
    """

    sums: Digest | None = None
    signatures: dict[str, bytes] = field(default_factory=dict)

    def sums_file(self, member: TarMember, checked: CheckedIndex) -> ArchivedFile:
        """Return the SHA256SUMS that was read ahead: its bytes follow from the index, where they are what is listed."""
        listed = checked.listed[SUMS_PATH]
        if self.sums != listed.blob.digest:
            return ArchivedFile(SUMS_PATH, member.size, member.mtime, listed, iter(()), digest=self.sums)
        lines = sums_pieces(checked.index.files, checked.digest)
        return ArchivedFile(SUMS_PATH, member.size, member.mtime, listed, _batches(lines))


def read_head(
    tar: TarReader, members: Iterator[TarMember], checked: CheckedIndex
) -> tuple[ArchiveHead, Iterator[TarMember]]:
    """Read the members that follow bundle.json and belong to the head; return it, and all members after bundle.json."""
    head, sums = ArchiveHead(), None
    passed: list[TarMember] = []
    sums_bytes = checked.listed[SUMS_PATH].blob.size
    for member in members:
        passed.append(member)
        # of another size it is none that is worth reading
        if member.path == SUMS_PATH and member.size == sums_bytes and not member.directory:
            sums = _digest(tar.content())
        elif _is_signature(member) and len(head.signatures) < MAX_SIGNATURES:
            head.signatures[member.path] = b"".join(tar.content())
        else:
            break
    return ArchiveHead(sums, head.signatures), chain(passed, members)


def _is_signature(member: TarMember) -> bool:
    return is_signature(member.path) and not member.directory and member.size <= MAX_SIGNATURE_BYTES


def _digest(chunks: Iterable[bytes | memoryview]) -> Digest:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return Digest("sha256", digest.hexdigest())


def _batches(lines: Iterator[bytes]) -> Iterator[bytes]:
    while batch := b"".join(islice(lines, _LINES_AT_ONCE)):
        yield batch
