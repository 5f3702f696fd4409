"""One block of bytes -> one gzip member (RFC 1952), decided by its content alone.

Owns the archive's compressed form, which is forever: fixed header bytes, stored where deflate gains nothing, ISA-L
level 2 otherwise. Level 3 is out of the question: its output depends on the processor.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVEL = 2
RAW_DEFLATE = -15
# deflate, no flags, no date, no extra flags, unknown operating system
HEADER = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
MAX_STORED_BYTES = 0xFFFF
SAMPLES = 8
SAMPLE_BYTES = 2048
# deflate has to bring a block below this share of its size to be worth the reader's time
WORTH_NUMERATOR, WORTH_DENOMINATOR = 97, 100


def gzip_member(block: memoryview) -> list[bytes | memoryview]:
    """Return the block as a complete gzip member, in pieces: the same bytes for the same block, on any machine.

    Where the block is stored, the pieces are views of it; nothing is copied.
    """
    trailer = struct.pack("<II", isal_zlib.crc32(block), len(block))
    if _worth(len(sample := _sample(block)), len(isal_zlib.compress(sample, LEVEL, RAW_DEFLATE))):
        deflated: bytes = isal_zlib.compress(block, LEVEL, RAW_DEFLATE)
        if _worth(len(block), len(deflated)):
            return [HEADER, deflated, trailer]
    return [HEADER, *_stored(block), trailer]


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
