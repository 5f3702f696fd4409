"""Two releases of some contents, and files that hold them."""

from __future__ import annotations

import gzip
import random
import subprocess
import zlib
from typing import TYPE_CHECKING

from bundler.delta.applying import patched_chunks

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.model.patch_recipe import PatchRecipe


def words(size: int, seed: int = 1) -> bytes:
    """Return bytes that compress to about a half."""
    chance = random.Random(seed)
    pool = [chance.randbytes(chance.randrange(2, 30)) for _ in range(4000)]
    text = bytearray()
    while len(text) < size:
        text += chance.choice(pool) + chance.randbytes(6)
    return bytes(text[:size])


def changed(data: bytes, part: float = 0.03, seed: int = 2) -> bytes:
    """Return the next release: so much of it is other bytes, and some are new."""
    chance = random.Random(seed)
    new = bytearray(data)
    for _ in range(max(1, int(len(data) * part / 100))):
        at = chance.randrange(len(new))
        new[at : at + 100] = chance.randbytes(100)
    middle = len(new) // 3
    new[middle:middle] = chance.randbytes(777)
    return bytes(new)


def zlib_gzip(data: bytes, level: int = 6, memory_level: int = 8) -> bytes:
    """Return a member as Python's tarfile begins it."""
    deflating = zlib.compressobj(level, zlib.DEFLATED, -15, memory_level)
    header = b"\x1f\x8b\x08\x08\x01\x02\x03\x04\x02\xfflayer.tar\0"
    return header + deflating.compress(data) + deflating.flush() + gzip.compress(data)[-8:]


def program_gzip(data: bytes, *command: str) -> bytes:
    """Return what a program makes of the contents."""
    return subprocess.run([*command, "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def pieces(data: bytes, size: int = 5000) -> Iterator[bytes]:
    """Yield the bytes in pieces."""
    return (data[at : at + size] for at in range(0, len(data), size))


def applied(recipe: PatchRecipe, old: Path, patch: io.BytesIO) -> bytes:
    """Return the result."""
    with old.open("rb") as base:
        return b"".join(patched_chunks(recipe, base, pieces(patch.getvalue())))
