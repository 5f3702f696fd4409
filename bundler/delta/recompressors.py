"""Programs' ways to deflate that can be done again to the byte: contents -> the gzip member that they came from.

Owns the list (docs/formats.md, "Patches"; docs/adr/0053), and how to tell whether this machine's zlib and gzip are
those that it was made for: zlib-ng and others give other bytes under zlib's name.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import cache
from typing import TYPE_CHECKING, assert_never

from bundler.delta.gzip_member import TrailerSum
from bundler.delta.gzip_program import deflated_by_gzip, missing_gzip
from bundler.delta.pigz_blocks import PigzCompressor
from bundler.errors import ToolMissingError
from bundler.model.patch_recipe import Recompression, RecompressorName
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

# the likelier ones first
_LEVELS = (6, 9, 1, 5, 4, 8, 7, 3, 2)
# zlib's default for memLevel is 8; Perl and what else wants speed take 9
_WAYS: tuple[tuple[RecompressorName, int], ...] = (("zlib", 8), ("pigz", 8), ("gzip", 8), ("zlib", 9))
_SAMPLE_HEADER = b"\x1f\x8b\x08" + bytes(7)
# more than two of pigz's blocks
_SAMPLE_BYTES = 270_000


def candidates(header: bytes) -> tuple[Recompression, ...]:
    """Return all that may have made a member with such a header, the likelier ones first."""
    return tuple(Recompression(name, header, level, memory_level) for name, memory_level in _WAYS for level in _LEVELS)


def recompressed(contents: Iterable[bytes], recompression: Recompression) -> Generator[bytes, None, None]:
    """Yield the member: header, deflate, trailer.

    Arguments:
        contents: in pieces of any size: they change no byte.

    Raises ToolMissingError (gzip), and what the contents raise.
    """
    end = TrailerSum()
    yield recompression.header
    yield from _deflated(end.passed(contents), recompression)
    yield end.trailer()


def _deflated(contents: Iterable[bytes], recompression: Recompression) -> Generator[bytes, None, None]:
    level, memory_level, strategy = recompression.level, recompression.memory_level, recompression.strategy
    if recompression.name == "gzip":
        yield from deflated_by_gzip(contents, level)
        return
    deflating = (
        PigzCompressor(level, memory_level, strategy)
        if recompression.name == "pigz"
        else zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, memory_level, strategy)
    )
    for piece in contents:
        yield deflating.compress(piece)
    yield deflating.flush()


@cache
def is_reproducing(name: RecompressorName) -> bool:
    """Tell whether what is on this machine gives the bytes that it gives elsewhere, at all levels."""
    total, sample = hashlib.sha256(), _sample()
    try:
        for known in candidates(_SAMPLE_HEADER):
            if known.name == name:
                for piece in recompressed((sample,), known):
                    total.update(piece)
    except ToolMissingError:
        return False
    return total.hexdigest() == _ANSWERS[name]


def require_reproducing(name: RecompressorName) -> None:
    """Raise ToolMissingError unless what is on this machine gives the right bytes."""
    if is_reproducing(name):
        return
    match name:
        case "gzip":
            raise missing_gzip()
        case "pigz" | "zlib":
            raise ToolMissingError(
                tr("a zlib that gives the bytes that patches are made for"),
                package=tr(
                    "a Python with the zlib of zlib.net, such as the runtime that a bundle carries;"
                    " or bring the full bundle"
                ),
                needed_for=tr("patches of compressed files"),
            )
        case _:
            assert_never(name)


def _sample() -> bytes:
    """Return bytes with short and long matches, near and far, and stretches without any, in more than one block."""
    words = [hashlib.sha256(number.to_bytes(4, "little")).digest() for number in range(1200)]
    text = b"".join(word[: 3 + number % 29] + words[number * number % 97] for number, word in enumerate(words))
    noise = b"".join(hashlib.sha512(word).digest() for word in words)
    return (text + b"kubeedge/" * 700 + text[::-1] + noise + text * 3)[:_SAMPLE_BYTES]


_ANSWERS: Mapping[RecompressorName, str] = {
    "gzip": "79f0885c44954e1f094848e05297ef592209143d022a237804ba948128e2740e",
    "pigz": "bf4353e1dd1e582a1f438f9311f6e3805305af2f67a8a7d6627184ae5f3fd9b6",
    "zlib": "3d9ac072bf4fa639cde8b1f863de86825c8d6163262931cef69910bce0c7018e",
}
