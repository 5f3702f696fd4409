"""Upstream archives as forward-only streams of members. Owns what an archive may ask of us and how its bytes are read.

Decompressing is left to `bundler.decompress`; which members are wanted, to `bundler.upstream_archive.selection`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, assert_never

from bundler.decompress import CompressedDataError, PlainReader
from bundler.durable import storage_errors
from bundler.errors import ErrorId, SourceError
from bundler.translation import tr

MIB = 1024 * 1024
CHUNK_BYTES = 256 * 1024
INVALID_REMEDY = tr("Download it by hand and look at it; if it is damaged upstream, use another url.")
UNSAFE_REMEDY = tr("Do not use this archive: ask its publisher, or use another url.")


@dataclass(frozen=True, slots=True)
class MemberLimits:
    """What an upstream archive may ask of us; beyond it, it is refused as unsafe.

    Arguments:
        member_bytes: the largest wanted member.
        ratio: unpacked bytes per packed byte, over the whole archive.
        free_bytes: unpacked bytes that are allowed whatever the ratio.
        members: how many members an archive may have.
        directory_bytes: the largest piece that describes members (a zip's central directory).
    """

    member_bytes: int = 16 * 1024 * MIB
    ratio: int = 200
    free_bytes: int = 64 * MIB
    members: int = 500_000
    directory_bytes: int = 32 * MIB

    def check_ratio(self, packed: int, unpacked: int, where: str) -> None:
        """Raise SourceError when so many packed bytes have become suspiciously many unpacked ones."""
        if unpacked > max(self.free_bytes, packed * self.ratio):
            raise unsafe(
                tr("unpacks to more than {ratio} times its size (a decompression bomb)", ratio=self.ratio), where
            )


def unsafe(what: str, where: str) -> SourceError:
    """Return the error for an archive that nobody makes in good faith."""
    return SourceError(ErrorId.SOURCE_ARCHIVE_UNSAFE, what, where=where, remedy=UNSAFE_REMEDY)


def invalid(what: str, where: str) -> SourceError:
    """Return the error for an archive that cannot be read."""
    return SourceError(ErrorId.SOURCE_INVALID, what, where=where, remedy=INVALID_REMEDY)


def read_some(file: BinaryIO, count: int, where: str) -> bytes:
    """Read at most `count` bytes of a file of the store; StorageError when the disk fails."""
    with storage_errors(where):
        return file.read(count)


class ForwardStream:
    """A file read once from start to end, decompressed on the way; what tarfile needs of a file, and no more.

    It refuses to go back and to read a lot at once: tarfile would do both when a header lies about sizes
    (CVE-2025-8194; extended headers are read whole).
    """

    def __init__(self, plain: PlainReader, where: str, limits: MemberLimits) -> None:
        self._plain = plain
        self._where = where
        self._limits = limits
        self._position = 0
        self.last_read = b""

    def tell(self) -> int:
        """Return how many unpacked bytes have been read."""
        return self._position

    def seek(self, position: int, whence: int = 0) -> int:
        """Skip forward to a position that was not yet reached, or to the end of what there is."""
        if whence != 0 or position < self._position:
            raise unsafe(tr("has a header that points back into the archive"), self._where)
        while self._position < position and self.read(min(CHUNK_BYTES, position - self._position)):
            pass
        return self._position

    def read(self, count: int = -1) -> bytes:
        """Return exactly so many unpacked bytes, fewer only at the end.

        Raises SourceError: damaged, cut short, a bomb, or more than CHUNK_BYTES asked for at once.
        """
        if not 0 <= count <= CHUNK_BYTES:
            raise unsafe(
                tr("has a header of more than {chunk_bytes} KiB", chunk_bytes=CHUNK_BYTES // 1024), self._where
            )
        parts: list[bytes] = []
        missing = count
        while missing and (part := self._some(missing)):
            parts.append(part)
            missing -= len(part)
        self.last_read = b"".join(parts)
        self._position += len(self.last_read)
        self._limits.check_ratio(self._plain.packed_bytes, self._position, self._where)
        return self.last_read

    def drain(self) -> None:
        """Read what is left, so that the compressed stream's own checksum is verified."""
        while self.read(CHUNK_BYTES):
            pass

    def close(self) -> None:
        """Do nothing: whoever opened the file closes it."""

    def _some(self, count: int) -> bytes:
        try:
            return self._plain.read(count)
        except CompressedDataError as error:
            raise _refusal(error, self._where) from error


def _refusal(error: CompressedDataError, where: str) -> SourceError:
    match error.flaw:
        case "damaged":
            return invalid(tr("is damaged: {detail}", detail=error.detail), where)
        case "cut short":
            return invalid(tr("is cut short in the middle of its {name} data", name=error.compression.name), where)
        case "followed":
            return invalid(tr("holds something else after its {name} data", name=error.compression.name), where)
        case "too much memory":
            return unsafe(tr("needs too much memory to decompress"), where)
        case _:
            assert_never(error.flaw)
