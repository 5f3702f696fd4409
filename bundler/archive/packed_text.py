"""A long text that waits in memory, compressed: the lock of 50,000 files has 27 MB, and is read late or not at all."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, cast

from bundler.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# quick before small: a tenth of the text is what is left of it either way
_LEVEL = 1
_PIECE_BYTES = 256 * 1024
# zlib.h, "deflateInit2": the largest window, within a header and a trailer of gzip
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class PackedText:
    """Bytes that can be read again; made by `of`.

    Arguments:
        packed: them in gzip's form, b"" for none.
        digest: their SHA-256.
    """

    packed: bytes
    digest: Digest

    @classmethod
    def of(cls, pieces: Iterable[bytes | memoryview]) -> PackedText:
        """Take them, one piece after the other."""
        packing, packed, digest = zlib.compressobj(_LEVEL, wbits=_GZIP), BytesIO(), hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            packed.write(packing.compress(piece))
        packed.write(packing.flush())
        return cls(packed.getvalue(), Digest("sha256", digest.hexdigest()))

    def open(self) -> BinaryIO:
        """Return a file of them, which can be read more than once."""
        return cast("BinaryIO", gzip.GzipFile(fileobj=BytesIO(self.packed)))

    def pieces(self) -> Iterator[bytes]:
        """Yield them, piece by piece."""
        with self.open() as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece

    def read(self) -> bytes:
        """Return all of them."""
        with self.open() as stream:
            return stream.read()


NO_TEXT = PackedText.of(())
