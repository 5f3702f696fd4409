"""Upstream archives as forward-only streams. Owns decompression and its bounds; knows nothing of members."""

from __future__ import annotations

import bz2
import lzma
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from bundler.durable import storage_errors
from bundler.errors import ErrorId, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
CHUNK_BYTES = 256 * 1024
# an .xz may ask for a dictionary of 4 GiB; `xz -9` needs 65 MiB to decompress
MAX_XZ_MEMORY_BYTES = 256 * MIB
INVALID_REMEDY = "Download it by hand and look at it; if it is damaged upstream, use another url."
UNSAFE_REMEDY = "Do not use this archive: ask its publisher, or use another url."


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
            raise unsafe(f"unpacks to more than {self.ratio} times its size (a decompression bomb)", where)


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


class _Decompressor(Protocol):
    """What bz2, lzma and isal have in common (Python's `bz2.BZ2Decompressor`)."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Compression:
    """One compressed format: how it begins, and what undoes it."""

    name: str
    magic: bytes
    make: Callable[[], _Decompressor]


def _gunzip() -> _Decompressor:
    from isal import igzip_lib

    decompressor: _Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return decompressor


def _unxz() -> _Decompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY_BYTES)


COMPRESSIONS = (
    Compression("gzip", b"\x1f\x8b\x08", _gunzip),
    Compression("bzip2", b"BZh", bz2.BZ2Decompressor),
    Compression("xz", b"\xfd7zXZ\x00", _unxz),
)


def compression_of(head: bytes) -> Compression | None:
    """Return the format that a file beginning with these bytes is compressed with, or None."""
    return next((known for known in COMPRESSIONS if head.startswith(known.magic)), None)


class ForwardStream:
    """A file read once from start to end, decompressed on the way; what tarfile needs of a file, and no more.

    It refuses to go back and to read a lot at once: tarfile would do both when a header lies about sizes
    (CVE-2025-8194; extended headers are read whole).
    """

    def __init__(self, file: BinaryIO, compression: Compression | None, where: str, limits: MemberLimits) -> None:
        self._file = file
        self._compression = compression
        self._decompressor = compression.make() if compression else None
        self._where = where
        self._limits = limits
        self._rest = b""
        self._packed = 0
        self._position = 0
        self.last_read = b""

    def tell(self) -> int:
        """Return how many unpacked bytes have been read."""
        return self._position

    def seek(self, position: int, whence: int = 0) -> int:
        """Skip forward to a position that was not yet reached, or to the end of what there is."""
        if whence != 0 or position < self._position:
            raise unsafe("has a header that points back into the archive", self._where)
        while self._position < position and self.read(min(CHUNK_BYTES, position - self._position)):
            pass
        return self._position

    def read(self, count: int = -1) -> bytes:
        """Return exactly so many unpacked bytes, fewer only at the end.

        Raises SourceError: damaged, cut short, a bomb, or more than CHUNK_BYTES asked for at once.
        """
        if not 0 <= count <= CHUNK_BYTES:
            raise unsafe(f"has a header of more than {CHUNK_BYTES // 1024} KiB", self._where)
        parts: list[bytes] = []
        missing = count
        while missing and (part := self._some(missing)):
            parts.append(part)
            missing -= len(part)
        self.last_read = b"".join(parts)
        self._position += len(self.last_read)
        self._limits.check_ratio(self._packed, self._position, self._where)
        return self.last_read

    def drain(self) -> None:
        """Read what is left, so that the compressed stream's own checksum is verified."""
        while self.read(CHUNK_BYTES):
            pass

    def close(self) -> None:
        """Do nothing: whoever opened the file closes it."""

    def _some(self, count: int) -> bytes:
        if self._compression is None:
            data = read_some(self._file, count, self._where)
            self._packed += len(data)
            return data
        while self._decompressor is not None:
            if self._decompressor.eof:
                self._next_stream(self._decompressor.unused_data, self._compression)
                continue
            packed = b""
            if self._decompressor.needs_input:
                packed = self._rest or read_some(self._file, CHUNK_BYTES, self._where)
                self._rest = b""
                self._packed += len(packed)
                if not packed:
                    raise invalid(f"is cut short in the middle of its {self._compression.name} data", self._where)
            if data := self._unpack(self._decompressor, packed, count):
                return data
        return b""

    def _unpack(self, decompressor: _Decompressor, packed: bytes, count: int) -> bytes:
        try:
            return decompressor.decompress(packed, count)
        except MemoryError as error:
            raise unsafe("needs too much memory to decompress", self._where) from error
        # isal's IsalError derives from Exception alone, the others from OSError, EOFError and ValueError
        except Exception as error:
            raise invalid(f"is damaged: {error}", self._where) from error

    def _next_stream(self, unused: bytes, compression: Compression) -> None:
        """Go on with a further compressed stream, as `cat a.gz b.gz` makes them; zero padding is passed over."""
        rest = unused
        while not rest.strip(b"\0") or len(rest) < len(compression.magic):
            more = read_some(self._file, CHUNK_BYTES, self._where)
            self._packed += len(more)
            if not more:
                break
            rest = rest.lstrip(b"\0") + more
        if not rest.strip(b"\0"):
            self._decompressor = None
        elif rest.startswith(compression.magic):
            self._packed -= len(rest)
            self._rest = rest
            self._decompressor = compression.make()
        else:
            raise invalid(f"holds something else after its {compression.name} data", self._where)
