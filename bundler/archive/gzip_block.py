"""One block of bytes -> one gzip member (RFC 1952), decided by its content alone.

Owns the archive's compressed form, which is permanent: fixed header bytes, stored where deflate gains nothing, the
archive's deflater otherwise.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bundler.compress import GZIP_HEADER, gzip_trailer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.compress import Deflater

# part of the archive's format: a gzip member holds this many plain bytes, the last one fewer
MEMBER_BYTES = 1024 * 1024
MAX_STORED_BYTES = 0xFFFF
SAMPLES = 8
SAMPLE_BYTES = 2048
# deflate that saves less than this much is not worth the reader's time
WORTH_NUMERATOR, WORTH_DENOMINATOR = 97, 100


def gzip_member(block: memoryview, deflater: Deflater) -> list[bytes | memoryview]:
    """Return the block as a complete gzip member, in pieces: the same bytes for the same block, on any machine.

    Where the block is stored, the pieces are views of it; nothing is copied.
    """
    trailer = gzip_trailer(block)
    if _worth(len(sample := _sample(block)), len(deflater.deflate(sample))):
        deflated = deflater.deflate(block)
        if _worth(len(block), len(deflated)):
            return [GZIP_HEADER, deflated, trailer]
    return [GZIP_HEADER, *_stored(block), trailer]


def _worth(raw_bytes: int, deflated_bytes: int) -> bool:
    return deflated_bytes * WORTH_DENOMINATOR < raw_bytes * WORTH_NUMERATOR


def _sample(block: memoryview) -> bytes | memoryview:
    """Return evenly spread pieces of the block, or all of it when it is small."""
    if len(block) <= SAMPLES * SAMPLE_BYTES:
        return block
    step = len(block) // SAMPLES
    return b"".join(block[at : at + SAMPLE_BYTES] for at in range(0, step * SAMPLES, step))


def _stored(block: memoryview) -> Iterator[bytes | memoryview]:
    """Yield the block as non-compressed deflate blocks (RFC 1951, 3.2.4)."""
    for at in range(0, len(block), MAX_STORED_BYTES):
        piece = block[at : at + MAX_STORED_BYTES]
        last = at + len(piece) == len(block)
        yield struct.pack("<BHH", last, len(piece), len(piece) ^ 0xFFFF)
        yield piece
