"""Compressed metadata -> plain bytes that can be read from any place, without ever holding them in memory.

Owns the compressions that repositories use, told by their first bytes (file names lie); refuses to know what the bytes
say. The plain bytes lie in a file without a name, in a directory of the caller's: page cache that the kernel can take
back, where a memfd of a big distribution's file lists would count as memory until the end.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from isal import igzip_lib

from bundler.durable import storage_errors
from bundler.errors import ToolMissingError
from bundler.rpm.metadata.xml_document import invalid_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# what is left of a block is copied once for every member that ends in it
BLOCK_BYTES = 64 * 1024
# The file lists of all of Fedora are below 1 GiB.
MAX_PLAIN_BYTES = 4 * 1024**3
# What xz may take; its level 9 needs a quarter of that. zstd has a limit of its own: windows of 128 MiB.
MAX_XZ_MEMORY_BYTES = 256 * 1024 * 1024
# RFC 1952, 2.3.1; The .xz File Format, 2.1.1.1; RFC 8878, 3.1.1; bzip2 1.0.8, "compress.c"; zchunk_format.txt
_GZIP, _XZ, _ZSTD, _BZIP2, _ZCHUNK = b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh", b"\0ZCK1"

LONGEST_MAGIC = max(map(len, (_GZIP, _XZ, _ZSTD, _BZIP2, _ZCHUNK)))


class Decompressor(Protocol):
    """What the standard library's decompressors have in common (bz2.BZ2Decompressor documents it)."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream has come."""

    @property
    def needs_input(self) -> bool:
        """Whether more output takes more input."""

    @property
    def unused_data(self) -> bytes:
        """What was found behind the end."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Take input, return at most so many bytes."""


def open_plain(source: BinaryIO, *, directory: Path, where: str, max_bytes: int = MAX_PLAIN_BYTES) -> BinaryIO:
    """Return the plain bytes of a stream as a seekable file at its beginning; the caller closes it.

    Arguments:
        source: gzip, xz, zstd, bzip2 (each of several members) or plain bytes; read to its end, not closed.
        directory: where the file without a name lies; it exists.
        where: what the bytes are, for messages.
        max_bytes: more plain bytes than this are taken for a bomb.

    Raises SourceError (REPO_METADATA_INVALID: truncated, damaged, too long, zchunk), StorageError, ToolMissingError.
    """
    with storage_errors(directory):
        plain: BinaryIO = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - the caller closes it
    try:
        written = 0
        for block in _plain_blocks(source, where):
            written += len(block)
            if written > max_bytes:
                raise invalid_metadata(f"unpacks to more than {max_bytes} bytes", where)
            with storage_errors(directory):
                plain.write(block)
        with storage_errors(directory):
            plain.seek(0)
    except BaseException:
        plain.close()
        raise
    return plain


@dataclass(frozen=True, slots=True)
class _Compression:
    """How to begin one stream of it, and what its library raises for bytes that are none."""

    begin: Callable[[], Decompressor]
    failures: tuple[type[Exception], ...]


def _plain_blocks(source: BinaryIO, where: str) -> Iterator[bytes]:
    blocks = _blocks(source, where)
    pending = next(blocks, b"")
    if pending.startswith(_ZCHUNK):
        raise invalid_metadata("is zchunk, which is not read; the repository has to offer gzip, xz or zstd too", where)
    if _compression(pending) is None:
        yield pending
        yield from blocks
        return
    while compression := _compression(pending):
        decompressor = compression.begin()
        yield from _member(decompressor, compression.failures, pending, blocks, where)
        pending = decompressor.unused_data
        # enough to tell what comes next; to take more would copy a whole block for every one of many small members
        if len(pending) < LONGEST_MAGIC:
            pending += next(blocks, b"")
    # tar and dd pad with zeros, and every decompressor lets that pass
    if pending.strip(b"\0") or any(block.strip(b"\0") for block in blocks):
        raise invalid_metadata("is followed by something that does not belong to it", where)


def _member(
    decompressor: Decompressor,
    failures: tuple[type[Exception], ...],
    pending: bytes,
    blocks: Iterator[bytes],
    where: str,
) -> Iterator[bytes]:
    """Yield the plain bytes of one compressed stream; what lies behind it is left in `unused_data`."""
    while not decompressor.eof:
        try:
            plain = decompressor.decompress(pending, BLOCK_BYTES)
        except failures as error:
            raise invalid_metadata(f"is damaged, or not what its first bytes say: {error}", where) from error
        if plain:
            yield plain
        pending = b""
        if decompressor.needs_input and not decompressor.eof and not (pending := next(blocks, b"")):
            raise invalid_metadata("is cut short", where)


def _blocks(source: BinaryIO, where: str) -> Iterator[bytes]:
    while True:
        with storage_errors(where):
            block = source.read(BLOCK_BYTES)
        if not block:
            return
        yield block


def _compression(first: bytes) -> _Compression | None:
    """Return what the first bytes are, or None when they are not compressed."""
    if first.startswith(_GZIP):
        return _Compression(_gzip, (cast("type[Exception]", igzip_lib.error),))
    if first.startswith(_XZ):
        return _Compression(lambda: lzma.LZMADecompressor(memlimit=MAX_XZ_MEMORY_BYTES), (lzma.LZMAError,))
    if first.startswith(_BZIP2):
        return _Compression(bz2.BZ2Decompressor, (OSError,))
    return _zstd() if first.startswith(_ZSTD) else None


def _gzip() -> Decompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _zstd() -> _Compression:
    """Return the standard library's zstd, or before Python 3.14 the package that brings the same to older ones."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        try:
            from backports import zstd
        except ImportError as error:
            raise ToolMissingError(
                "backports.zstd", package="kubeedge-bundler[build]", needed_for="repositories compressed with zstd"
            ) from error
    return _Compression(zstd.ZstdDecompressor, (zstd.ZstdError,))
