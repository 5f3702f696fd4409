"""Bytes -> deflate (RFC 1951), the same on every machine: what an archive's digest and a repository's repodata rest on.

Owns the deflaters that bundles were ever made with, and how to tell whether this machine's give the bytes that they
should: by deflating a fixed sample. A library that was changed, or a processor for which it takes another path, is
found before anything is written or compared (docs/adr/0022).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bundler.errors import ToolMissingError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# RFC 1952, 2.3.1: deflate, no flags, no date, no extra flags, unknown operating system
GZIP_HEADER = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
GZIP_TRAILER_BYTES = 8
SAMPLE_BYTES = 96 * 1024


@dataclass(frozen=True, slots=True)
class Deflater:
    """One way to deflate.

    Arguments:
        name: in bundle.json's key `deflate`; "" for the one that archives without that key were made with.
        title: for people.
        deflate: a block of at least one byte -> raw deflate.
        answer: the hex SHA-256 of the deflated sample on a machine that gives the right bytes.
    """

    name: str
    title: str
    deflate: Callable[[bytes | memoryview], bytes]
    answer: str

    def reproduces(self) -> bool:
        """Tell whether this machine's library gives the bytes that archives are made of."""
        return _answer(self) == self.answer

    def require(self, needed_for: str) -> None:
        """Raise ToolMissingError unless this machine's library gives the right bytes."""
        if not self.reproduces():
            raise ToolMissingError(
                tr("a {title} that gives the bytes of bundle format 1", title=self.title),
                package=tr("the release of {title} that kubeedge-bundler asks for", title=self.title),
                needed_for=needed_for,
            )


@cache
def _answer(deflater: Deflater) -> str:
    return hashlib.sha256(deflater.deflate(_sample())).hexdigest()


@cache
def _sample() -> bytes:
    """Return bytes with short and long matches, near and far, and stretches without any."""
    words = [hashlib.sha256(struct.pack("<I", number)).digest() for number in range(512)]
    text = b"".join(word[: 3 + number % 29] + words[number * number % 97] for number, word in enumerate(words))
    noise = b"".join(hashlib.sha512(word).digest() for word in words)
    return (text + text[::-1] + b"kubeedge/" * 700 + text + noise + text)[:SAMPLE_BYTES]


# the libraries are loaded by whoever deflates: most commands only want to know a deflater's name
def _libdeflate_1(block: bytes | memoryview) -> bytes:
    import deflate

    return bytes(deflate.deflate_compress(block, 1))


def _isal_2(block: bytes | memoryview) -> bytes:
    from isal import isal_zlib

    deflated: bytes = isal_zlib.compress(block, 2, -15)
    return deflated


LIBDEFLATE_1 = Deflater(
    "libdeflate-1",
    "libdeflate (level 1)",
    _libdeflate_1,
    "04899b1f2290702b2d3b53c0c56eb9e629404591c0987a446d544e7b599c694e",
)
# what archives without the key were made with; gives other bytes on processors without SSE4.2 and PCLMUL
ISAL_2 = Deflater("", "ISA-L (level 2)", _isal_2, "df5822940bd0d6bf3457b80f0c07153fb5d63e86c61c07c6c5109a4ab14c788a")
# what new archives are made with
DEFLATER = LIBDEFLATE_1
DEFLATERS: Mapping[str, Deflater] = {deflater.name: deflater for deflater in (LIBDEFLATE_1, ISAL_2)}


def crc32(data: bytes | memoryview, value: int = 0) -> int:
    """Return the CRC-32 (RFC 1952, 8) of data that follow bytes with the given one."""
    import deflate

    checksum: int = deflate.crc32(data, value)
    return checksum


def gzip_trailer(plain: bytes | memoryview) -> bytes:
    """Return what ends a gzip member with this content: CRC-32 and length (RFC 1952, 2.3.1)."""
    return struct.pack("<II", crc32(plain), len(plain) & 0xFFFFFFFF)
