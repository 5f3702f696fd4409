"""Programs' ways to deflate that can be done again to the byte: contents -> the gzip member that they came from.

Owns the list (docs/formats.md, "Patches"; docs/adr/0053), and how to tell whether this machine's zlib is the one that
it was made for: zlib-ng and others give other bytes under zlib's name.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import cache
from typing import TYPE_CHECKING, Protocol

from bundler.delta.gzip_member import TrailerSum
from bundler.delta.pigz_blocks import PigzCompressor
from bundler.errors import ToolMissingError
from bundler.model.patch_recipe import Recompression
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LEVELS = (6, 9, 1, 5, 4, 8, 7, 3, 2)
# RFC 1952, 2.3.1: never looked at, for the samples
_SAMPLE_HEADER = b"\x1f\x8b\x08" + bytes(7)
# more than two of pigz's blocks
_SAMPLE_BYTES = 270_000


class Deflating(Protocol):
    """A compressor of raw deflate, as zlib's (zlib.compressobj)."""

    def compress(self, data: bytes, /) -> bytes:
        """Take some of the contents, return some of the compressed bytes."""

    def flush(self) -> bytes:
        """Return the rest of these."""


def candidates(header: bytes) -> tuple[Recompression, ...]:
    """Return all that may have made a member with such a header, the likelier ones first."""
    return (
        *(Recompression("zlib", header, level, memory_level) for memory_level in (8, 9) for level in _LEVELS),
        *(Recompression("pigz", header, level) for level in _LEVELS),
    )


def begin(recompression: Recompression) -> Deflating:
    """Return what compresses in that way."""
    if recompression.name == "pigz":
        return PigzCompressor(recompression.level, recompression.memory_level, recompression.strategy)
    return zlib.compressobj(
        recompression.level, zlib.DEFLATED, -zlib.MAX_WBITS, recompression.memory_level, recompression.strategy
    )


def recompressed(contents: Iterable[bytes], recompression: Recompression) -> Iterator[bytes]:
    """Yield the member: header, deflate, trailer.

    Arguments:
        contents: in pieces of any size: they change no byte.
    """
    deflating, end = begin(recompression), TrailerSum()
    yield recompression.header
    for piece in contents:
        end.update(piece)
        yield deflating.compress(piece)
    yield deflating.flush() + end.trailer()


@cache
def is_reproducing() -> bool:
    """Tell whether this machine's zlib gives the bytes that it gives elsewhere, for the whole list."""
    return _answer() == _ANSWER


def require_reproducing() -> None:
    """Raise ToolMissingError unless this machine's zlib gives the right bytes."""
    if not is_reproducing():
        raise ToolMissingError(
            tr("a zlib that gives the bytes that patches are made for"),
            package=tr(
                "a Python with the zlib of zlib.net, as the runtime that a bundle carries; or bring the full bundle"
            ),
            needed_for=tr("patches of compressed files"),
        )


def _answer() -> str:
    total, sample = hashlib.sha256(), _sample()
    for recompression in candidates(_SAMPLE_HEADER):
        for piece in recompressed((sample,), recompression):
            total.update(piece)
    return total.hexdigest()


def _sample() -> bytes:
    """Return bytes with short and long matches, near and far, and stretches without any, in more than one block."""
    words = [hashlib.sha256(number.to_bytes(4, "little")).digest() for number in range(1200)]
    text = b"".join(word[: 3 + number % 29] + words[number * number % 97] for number, word in enumerate(words))
    noise = b"".join(hashlib.sha512(word).digest() for word in words)
    return (text + b"kubeedge/" * 700 + text[::-1] + noise + text * 3)[:_SAMPLE_BYTES]


_ANSWER = "48c03221437341f521dd610f50e6eb600fc9ff044fa49d8794502afa7ca8abe0"
