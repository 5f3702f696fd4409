"""Which re-compressor, if any, gives a gzip file back: by doing it, up to the first byte that differs."""

from __future__ import annotations

import os
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

from bundler.delta.gzip_member import gzip_header
from bundler.delta.recompressors import candidates, is_reproducing, recompressed
from bundler.model.patch_recipe import MAX_HEADER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.model.patch_recipe import Recompression

_READ_BYTES = 128 * 1024


def recompression_of(path: Path) -> Recompression | None:
    """Return what gives the bytes of this file, made of their contents.

    None where nothing of the list does (another compressor; several members; something behind them; damaged), where
    the file is not gzip, and where what would do it is not to be relied on here.

    Raises OSError.
    """
    with path.open("rb") as file:
        descriptor = file.fileno()
        header = gzip_header(os.pread(descriptor, MAX_HEADER_BYTES, 0))
        if header is None:
            return None
        try:
            return next((known for known in candidates(header) if _gives(descriptor, known)), None)
        except zlib.error:
            return None


def _gives(descriptor: int, recompression: Recompression) -> bool:
    """Tell whether a re-compressor gives the file, and nothing is behind that."""
    if not is_reproducing(recompression.name):
        return False
    at = 0
    with closing(recompressed(_contents(descriptor, len(recompression.header)), recompression)) as made:
        for piece in made:
            if os.pread(descriptor, len(piece), at) != piece:
                return False
            at += len(piece)
    return not os.pread(descriptor, 1, at)


def _contents(descriptor: int, at: int) -> Iterator[bytes]:
    """Yield what a stream of raw deflate holds, as far as it goes.

    Arguments:
        at: where it begins in the file.

    Raises zlib.error.
    """
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    packed = b""
    while not inflating.eof:
        if not packed:
            packed = os.pread(descriptor, _READ_BYTES, at)
            at += len(packed)
            if not packed:
                return
        if plain := inflating.decompress(packed, _READ_BYTES):
            yield plain
        packed = inflating.unconsumed_tail
