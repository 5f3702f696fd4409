"""What is timed of patches: two releases of a layer that are made, a patch of them, and its use, each in a process."""

from __future__ import annotations

import io
import json
import os
import random
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bundler.delta.applying import patched_chunks
from bundler.delta.making import make_patch
from bundler.model.patch_recipe import decode_recipe, encode_recipe
from scripts.benchmarks.measure import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = ("/usr/bin", "/usr/sbin", "/usr/lib")
BINARY_BYTES = 60 * MIB
CHANGED_PART, CHANGE_BYTES, ADDED_BYTES = 0.03, 512, 70_000
READ_BYTES = 256 * 1024


def layers(directory: Path) -> None:
    """Write two releases of one binary, each in a layer as Python's tarfile writes it: zlib at level 6."""
    binary = _binary()
    _write_layer(directory / "old.tar.gz", binary)
    chance = random.Random(3)  # noqa: S311 - the same bytes on every run, no secret
    for _ in range(int(len(binary) * CHANGED_PART / CHANGE_BYTES)):
        at = chance.randrange(len(binary) - CHANGE_BYTES)
        # from elsewhere in the programs: what is new in a release compresses like the rest of it
        other = chance.randrange(len(binary) - CHANGE_BYTES)
        binary[at : at + CHANGE_BYTES] = bytes(byte ^ 0x5A for byte in binary[other : other + CHANGE_BYTES])
    binary[MIB:MIB] = chance.randbytes(ADDED_BYTES)
    _write_layer(directory / "new.tar.gz", binary)


def _binary() -> bytearray:
    """Return the largest programs of this machine, one behind the other."""
    files = {
        path.resolve()
        for top in PROGRAMS
        for path in Path(top).rglob("*")
        if path.is_file() and os.access(path, os.R_OK)
    }
    binary = bytearray()
    for path in sorted(files, key=lambda path: (-path.stat().st_size, path)):
        with path.open("rb") as file:
            if file.read(4) == b"\x7fELF":
                binary += b"\x7fELF" + file.read(BINARY_BYTES - len(binary) - 4)
        if len(binary) >= BINARY_BYTES:
            break
    return binary


def _write_layer(path: Path, binary: bytearray) -> None:
    with tarfile.open(path, "w:gz", compresslevel=6) as archive:
        member = tarfile.TarInfo("usr/local/bin/cloudcore")
        member.size = len(binary)
        member.mode = 0o755
        archive.addfile(member, io.BytesIO(binary))


def make(directory: Path) -> None:
    """Make the patch."""
    with (directory / "patch").open("wb") as out:
        recipe = make_patch(directory / "old.tar.gz", directory / "new.tar.gz", out)
    if recipe is None:
        raise SystemExit("no patch is worth it")
    (directory / "recipe.json").write_text(json.dumps(encode_recipe(recipe)))


def apply(directory: Path) -> None:
    """Write what the patch gives."""
    size = (directory / "new.tar.gz").stat().st_size
    recipe = decode_recipe(json.loads((directory / "recipe.json").read_text()), size)
    with (
        (directory / "old.tar.gz").open("rb") as old,
        (directory / "patch").open("rb") as patch,
        (directory / "result").open("wb") as result,
    ):
        for piece in patched_chunks(recipe, old, _pieces(patch)):
            result.write(piece)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(READ_BYTES):
        yield piece


ACTIONS = {"layers": layers, "make": make, "apply": apply}

if __name__ == "__main__":
    ACTIONS[sys.argv[1]](Path(sys.argv[2]))
