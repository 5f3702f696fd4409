"""What pigz makes of contents with zlib: blocks of 128 KiB, each begun with the 32 KiB before it as its dictionary.

Source: pigz.c 2.3 to 2.8, `compress_thread`. A block that is not the last one is brought to a byte's boundary by empty
static blocks where an even number of bits is pending, by an empty stored block otherwise.
"""

from __future__ import annotations

import zlib

BLOCK_BYTES = 128 * 1024
DICTIONARY_BYTES = 32 * 1024
# RFC 1951, 3.2.3 and 3.2.6: a static block that holds the end of a block alone: 1, 2 (low bit first) and seven zeros
_EMPTY_STATIC_BITS = 10
_EMPTY_STATIC = 0b010


class PigzCompressor:
    """Compress contents as pigz does, without its options -i, -R, -b.

    Arguments:
        level: 1 to 9.
        memory_level: zlib's memLevel.
        strategy: zlib's strategy.
    """

    def __init__(self, level: int, memory_level: int, strategy: int) -> None:
        self._parameters = (level, zlib.DEFLATED, -zlib.MAX_WBITS, memory_level, strategy)
        self._pending = bytearray()
        self._dictionary = b""

    def compress(self, data: bytes, /) -> bytes:
        """Take some of the contents, return the blocks that are complete."""
        self._pending += data
        out = bytearray()
        at = 0
        # what could be the last block waits
        while len(self._pending) - at > BLOCK_BYTES:
            block = bytes(self._pending[at : at + BLOCK_BYTES])
            out += self._inner_block(block)
            self._dictionary = block[-DICTIONARY_BYTES:]
            at += BLOCK_BYTES
        del self._pending[:at]
        return bytes(out)

    def flush(self) -> bytes:
        """Return the last block."""
        last = self._begin()
        return last.compress(self._pending) + last.flush()

    def _inner_block(self, block: bytes) -> bytes:
        deflating = self._begin()
        deflated = deflating.compress(block) + deflating.flush(zlib.Z_BLOCK)
        # the bits that zlib holds back come to light when a copy adds an empty static block behind them
        shown = int.from_bytes(deflating.copy().flush(zlib.Z_PARTIAL_FLUSH), "little")
        count = shown.bit_length() - _EMPTY_STATIC.bit_length()
        if count % 2:
            return deflated + deflating.flush(zlib.Z_SYNC_FLUSH)
        bits = shown & ((1 << count) - 1)
        while count % 8:
            bits |= _EMPTY_STATIC << count
            count += _EMPTY_STATIC_BITS
        return deflated + bits.to_bytes(count // 8, "little")

    def _begin(self) -> zlib._Compress:
        if self._dictionary:
            return zlib.compressobj(*self._parameters, zdict=self._dictionary)
        return zlib.compressobj(*self._parameters)
