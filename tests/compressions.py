"""Compressed bytes for tests: every form that `bundler.decompress` reads, made by Python's own libraries."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import sys
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# begins a program of its own, which finds what a Python before 3.14 finds without the extra `[build]`
WITHOUT_ZSTD = """
import sys

class Hidden:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("backports"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden)
"""


def zstd_frame(data: bytes) -> bytes:
    """Return one frame with a checksum, as the program `zstd` writes it."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


def zstd_window(data: bytes, log: int) -> bytes:
    """Return one frame that asks for a window of 2**log bytes (RFC 8878, 3.1.1.1.2)."""
    compressor = zstd.ZstdCompressor()
    frame = bytearray(compressor.compress(data) + compressor.flush())
    # the frame of a stream whose length was not known has a window and no size
    assert frame[4] & 0b1110_0000 == 0
    frame[5] = (log - 10) << 3
    return bytes(frame)


def skippable_frame(data: bytes, number: int = 0) -> bytes:
    """Return a frame that decompressors skip (RFC 8878, 3.1.2); `number` is one of 16."""
    return struct.pack("<II", 0x184D2A50 + number, len(data)) + data


def xz_dictionary(data: bytes) -> bytes:
    """Return an .xz that asks for a dictionary of 4 GiB - 1 (The .xz File Format, 3.1 and 5.3.1)."""
    made = bytearray(lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}]))
    # the block header: its size, flags, filter id, size of properties, properties, CRC32
    end = 12 + (made[12] + 1) * 4
    assert made[14:16] == b"\x21\x01"
    made[16] = 40
    made[end - 4 : end] = struct.pack("<I", zlib.crc32(made[12 : end - 4]))
    return bytes(made)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstd_frame,
    "bzip2": bz2.compress,
}
