"""Members -> the bytes of the tar file, in blocks of one fixed size; every blob is verified while it is read."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bundler.archive.gzip_block import MEMBER_BYTES
from bundler.archive.tar_header import BLOCK_BYTES, RECORD_BYTES, encode_header, padding
from bundler.compress import crc32
from bundler.durable import storage_errors
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.digest import Blob, Digest
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from bundler.archive.member_order import ArchiveMember


class StoredBlobError(DamagedBlobError):
    """A blob of the store turned out to be damaged while it was written to the archive."""


class StreamBlock(NamedTuple):
    """A piece of the tar file; `content_bytes` of it are content of files."""

    buffer: bytearray
    length: int
    content_bytes: int


class ChecksumCache(Protocol):
    """The checksums of files whose SHA-256 was verified earlier; `store/verified_files.py` implements it."""

    def crc32(self, blob: Blob, status: os.stat_result) -> int | None:
        """Return the CRC-32 that this very file had when its SHA-256 was verified, or None when that is unknown."""

    def record(self, blob: Blob, status: os.stat_result, crc32: int) -> None:
        """Record that the file with this status holds the blob and has this CRC-32."""


class NoChecksumCache:
    """An empty cache that stays empty: every blob is verified by its SHA-256."""

    def crc32(self, blob: Blob, status: os.stat_result) -> None:
        """Return None."""

    def record(self, blob: Blob, status: os.stat_result, crc32: int) -> None:
        """Do nothing."""


NO_CHECKSUM_CACHE = NoChecksumCache()


class TarStream:
    """Fills blocks of MEMBER_BYTES, the last one excepted.

    Arguments:
        store_path: where a blob lies.
        checksums: saves the SHA-256 of files that have not changed since they were verified (docs/adr/0007).
        take_buffer: returns a buffer of MEMBER_BYTES that is not in use any more.
    """

    def __init__(
        self, store_path: Callable[[Blob], Path], checksums: ChecksumCache, take_buffer: Callable[[], bytearray]
    ) -> None:
        self._store_path = store_path
        self._checksums = checksums
        self._take_buffer = take_buffer
        self._buffer = take_buffer()
        self._filled = 0
        self._content = 0
        self._total = 0

    def blocks(self, members: Iterable[ArchiveMember]) -> Generator[StreamBlock]:
        """Yield the whole tar file. Raises StoredBlobError, StorageError."""
        for member in members:
            content = member.content
            directory, size = content is None, member.size
            path = member.path.encode()
            yield from self._bytes(
                encode_header(path, size=size, mode=member.mode, mtime=member.mtime, directory=directory)
            )
            match content:
                case None:
                    pass
                case Blob():
                    yield from self._blob(content)
                case bytes():
                    yield from self._bytes(content, content=True)
                case _:
                    for piece in content.pieces():
                        yield from self._bytes(piece, content=True)
            yield from self._bytes(bytes(padding(size)))
        end = 2 * BLOCK_BYTES
        yield from self._bytes(bytes(end + -(self._total + end) % RECORD_BYTES))
        if self._filled:
            yield self._full()

    def _full(self) -> StreamBlock:
        block = StreamBlock(self._buffer, self._filled, self._content)
        self._buffer, self._filled, self._content = self._take_buffer(), 0, 0
        return block

    def _advance(self, count: int, *, content: bool) -> None:
        self._filled += count
        self._total += count
        if content:
            self._content += count

    def _bytes(self, data: bytes, *, content: bool = False) -> Generator[StreamBlock]:
        at = 0
        while at < len(data):
            piece = data[at : at + MEMBER_BYTES - self._filled]
            self._buffer[self._filled : self._filled + len(piece)] = piece
            self._advance(len(piece), content=content)
            at += len(piece)
            if self._filled == MEMBER_BYTES:
                yield self._full()

    def _blob(self, blob: Blob) -> Generator[StreamBlock]:
        path = self._store_path(blob)
        with storage_errors(path):
            try:
                source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                raise _damaged(blob, path, tr("no file")) from error
            try:
                status = os.fstat(source)
                if status.st_size != blob.size:
                    raise _damaged(blob, path, tr("{st_size} bytes", st_size=status.st_size))
                check = _BlobCheck(blob, self._checksums.crc32(blob, status))
                left = blob.size
                while left:
                    room = memoryview(self._buffer)[self._filled : min(self._filled + left, MEMBER_BYTES)]
                    count = os.readv(source, [room])
                    if not count:
                        raise _damaged(blob, path, tr("{size} bytes", size=blob.size - left))
                    check.update(room[:count])
                    left -= count
                    self._advance(count, content=True)
                    if self._filled == MEMBER_BYTES:
                        yield self._full()
            finally:
                os.close(source)
        if got := check.difference():
            raise _damaged(blob, path, got)
        if check.known_crc32 is None:
            self._checksums.record(blob, status, check.crc32)


class _BlobCheck:
    """Compares bytes with a blob: by SHA-256, or by the CRC-32 of the same file when it was verified."""

    def __init__(self, blob: Blob, known_crc32: int | None) -> None:
        self.known_crc32 = known_crc32
        self.crc32 = 0
        self._want = blob.digest
        self._sha256 = hashlib.sha256()

    def update(self, data: memoryview) -> None:
        """Add the next bytes."""
        self.crc32 = crc32(data, self.crc32)
        if self.known_crc32 is None:
            self._sha256.update(data)

    def difference(self) -> str:
        """Return what was found instead of the blob, or ""."""
        if self.known_crc32 is not None:
            return (
                ""
                if self.crc32 == self.known_crc32
                else tr("CRC-32 {crc32:08x}, once {known_crc32:08x}", crc32=self.crc32, known_crc32=self.known_crc32)
            )
        got = Digest("sha256", self._sha256.hexdigest())
        return "" if got == self._want else str(got)


def _damaged(blob: Blob, path: Path, got: str) -> StoredBlobError:
    return StoredBlobError.of(blob, tr("the entry of the store is damaged"), where=path, got=got)
