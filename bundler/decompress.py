"""Compressed files -> their plain bytes, read once from start to end, in pieces, in bounded memory.

Owns the forms that upstreams compress with, told by their first bytes (file names lie), and what each may ask of the
memory. Refuses to know what the bytes say and how many of them are too many: whoever reads has a limit of its own, and
its own words for what is wrong. A bundle's own archive is read by `bundler.archive.inflate`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

from bundler.durable import storage_errors
from bundler.errors import ToolMissingError
from bundler.outcome_words import shown_word
from bundler.python_package import installing
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

# what is left of a block is copied once for every stream that ends in it
BLOCK_BYTES = 64 * 1024
# an .xz may ask for a dictionary of 4 GiB; `xz -9` needs 65 MiB to decompress
MAX_XZ_MEMORY_BYTES = 256 * 1024 * 1024
# windows of 128 MiB: what `zstd --ultra -22` and `--long` write, and the most that `zstd -d` takes unasked
MAX_ZSTD_WINDOW_LOG = 27

Flaw = Literal["damaged", "cut short", "followed", "too much memory"]


class CompressedDataError(Exception):
    """Compressed bytes that cannot be read; whoever reads them translates it.

    Arguments:
        flaw: `damaged`; `cut short`; `followed` by something else; `too much memory` is what they ask for.
        compression: the form they have, for messages.
        detail: what its library says of them.
    """

    def __init__(self, flaw: Flaw, compression: Compression, detail: str = "") -> None:
        super().__init__(
            tr("{name} data, {flaw}: {detail}", name=compression.name, flaw=shown_word(flaw), detail=detail)
            if detail
            else tr("{name} data, {flaw}", name=compression.name, flaw=shown_word(flaw))
        )
        self.flaw = flaw
        self.compression = compression
        self.detail = detail


class Decompressor(Protocol):
    """One stream; what the standard library's decompressors and isal's have in common (bz2.BZ2Decompressor)."""

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


@dataclass(frozen=True, slots=True)
class Compression:
    """One compressed form.

    Arguments:
        magics: how a stream of it begins: one of these.
        begin: makes what undoes one stream; takes what is compressed, in the plural, for ToolMissingError.
    """

    name: str
    magics: tuple[bytes, ...]
    begin: Callable[[str], Decompressor]


def _gunzip(_: str) -> Decompressor:
    from isal import igzip_lib

    decompressor: Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return decompressor


def _bunzip2(compressed: str) -> Decompressor:
    try:
        import bz2
    except ImportError as error:
        raise _without("bzip2", compressed) from error
    return bz2.BZ2Decompressor()


def _unxz(compressed: str) -> Decompressor:
    try:
        import lzma
    except ImportError as error:
        raise _without("xz", compressed) from error
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY_BYTES)


def _without(form: str, compressed: str) -> ToolMissingError:
    """Return the error of a Python that was built without the library of a form."""
    return ToolMissingError(
        tr("Python's module for {form}", form=form),
        package=tr("a complete Python"),
        needed_for=tr("{compressed} in {form}", compressed=compressed, form=form),
    )


def _unzstd(compressed: str) -> Decompressor:
    """Use the standard library's zstd, or before Python 3.14 the package that brings the same to older ones (ADR 8)."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        try:
            from backports import zstd
        except ImportError as error:
            raise ToolMissingError(
                "backports.zstd",
                package=installing("backports.zstd"),
                needed_for=tr("{compressed} compressed with zstd", compressed=compressed),
            ) from error
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: MAX_ZSTD_WINDOW_LOG})


_COMPRESSIONS = (
    # RFC 1952, 2.3.1: deflate is the one method there is
    Compression("gzip", (b"\x1f\x8b\x08",), _gunzip),
    # bzip2 1.0.8, "compress.c"
    Compression("bzip2", (b"BZh",), _bunzip2),
    # The .xz File Format, 2.1.1.1
    Compression("xz", (b"\xfd7zXZ\0",), _unxz),
    # RFC 8878, 3.1.1 and 3.1.2: skippable frames may come anywhere; pzstd begins with one
    Compression(
        "zstd", (b"\x28\xb5\x2f\xfd", *(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))), _unzstd
    ),
)
LONGEST_MAGIC = max(len(magic) for known in _COMPRESSIONS for magic in known.magics)


def compression_of(head: bytes) -> Compression | None:
    """Return the form of a file that begins with these bytes, or None when it is not compressed.

    Arguments:
        head: at least LONGEST_MAGIC bytes, fewer only of a shorter file.
    """
    return next((known for known in _COMPRESSIONS if head.startswith(known.magics)), None)


class PlainReader:
    """The plain bytes of one file; several streams of one form are one, as `cat a.gz b.gz` and pzstd make them.

    Zeros between streams and behind the last one are passed over: tar and dd pad with them.

    Arguments:
        source: gzip, bzip2, xz, zstd or plain bytes; read to its end, not closed.
        head: what has been read of it, as for `compression_of`.
        where: what the bytes are, for messages.
        compressed: what such files are, in the plural, for messages: `archives`.

    Raises ToolMissingError (zstd before Python 3.14, without the package).
    """

    def __init__(self, source: BinaryIO, head: bytes, *, where: str, compressed: str) -> None:
        self.packed_bytes = len(head)
        self._source = source
        self._where = where
        self._compressed = compressed
        self._pending = head
        self._compression = compression_of(head)
        self._decompressor = self._compression.begin(compressed) if self._compression else None

    def read(self, count: int) -> bytes:
        """Return some plain bytes, at least one but at the end. `packed_bytes` is what the source has given so far.

        Arguments:
            count: how many at the most, not 0.

        Raises CompressedDataError, StorageError.
        """
        if self._compression is None:
            data, self._pending = self._pending[:count], self._pending[count:]
            return data or self._more(count)
        while self._decompressor is not None:
            if self._decompressor.eof:
                self._next_stream(self._decompressor.unused_data, self._compression)
            elif data := self._unpack(self._decompressor, self._compression, count):
                return data
        return b""

    def _unpack(self, decompressor: Decompressor, compression: Compression, count: int) -> bytes:
        packed = b""
        if decompressor.needs_input:
            packed, self._pending = self._pending or self._more(BLOCK_BYTES), b""
            if not packed:
                raise CompressedDataError("cut short", compression)
        try:
            return decompressor.decompress(packed, count)
        except MemoryError as error:
            raise CompressedDataError("too much memory", compression) from error
        # isal's IsalError derives from Exception alone, the others from OSError, EOFError and ValueError
        except Exception as error:
            raise CompressedDataError("damaged", compression, str(error)) from error

    def _next_stream(self, rest: bytes, compression: Compression) -> None:
        rest = rest.lstrip(b"\0")
        # enough to tell what comes next; to take more would copy a whole block for every one of many small streams
        while len(rest) < LONGEST_MAGIC and (more := self._more(BLOCK_BYTES)):
            rest = (rest + more).lstrip(b"\0")
        if rest and not rest.startswith(compression.magics):
            raise CompressedDataError("followed", compression)
        self._pending = rest
        self._decompressor = compression.begin(self._compressed) if rest else None

    def _more(self, count: int) -> bytes:
        with storage_errors(self._where):
            data = self._source.read(count)
        self.packed_bytes += len(data)
        return data
