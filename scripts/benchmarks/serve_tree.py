"""An unpacked bundle to be served: a few large files and many small ones, the same bytes on every run."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.bundle_files import bundle_files
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.placement import Placement
from bundler.model.platform import Platform

if TYPE_CHECKING:
    from pathlib import Path

LARGE_FILES = 4
SMALL_BYTES = 4096
SOURCE_DATE = 1_600_000_000
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServedTree:
    """What both sides serve.

    Arguments:
        large_bytes: size of each of the LARGE_FILES below large/.
        small_files: how many there are below small/, of SMALL_BYTES each.
        digests: path -> SHA-256 in hex.
    """

    root: Path
    large_bytes: int
    small_files: int
    digests: dict[str, str]


def large_path(number: int) -> str:
    """Return the path of a large file; numbers beyond the last begin anew."""
    return f"large/{number % LARGE_FILES}.bin"


def small_path(number: int) -> str:
    """Return the path of a small file, which small_files.lua writes in the same way."""
    return f"small/{number:05}.bin"


def make_tree(root: Path, *, large_bytes: int, small_files: int) -> ServedTree:
    """Write the files and the bundle's own four, readable by everybody: mirror workers have no rights."""
    sizes = {large_path(number): large_bytes for number in range(LARGE_FILES)}
    sizes |= {small_path(number): SMALL_BYTES for number in range(small_files)}
    for directory in (root, root / "large", root / "small"):
        directory.mkdir(mode=0o755)
    digests = {path: _write(root / path, seed, size) for seed, (path, size) in enumerate(sizes.items())}
    bundle = bundle_files(
        [
            Placement(BundlePath(path), Blob(Digest("sha256", digests[path]), size), "files", mtime=SOURCE_DATE)
            for path, size in sizes.items()
        ],
        name="bench",
        release="",
        platforms=[Platform("linux", "amd64")],
        manifest=Digest.sha256(b""),
        manifest_text=b"version: 1\nname: bench\n",
        lock_text=(b"{}\n",),
    )
    for file in bundle.files:
        if isinstance(file.content, bytes):
            (root / file.path).write_bytes(file.content)
    return ServedTree(root, large_bytes, small_files, digests)


def _write(path: Path, seed: int, size: int) -> str:
    source = random.Random(seed)  # noqa: S311 - the same bytes on every run, no secret
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, size, _PIECE_BYTES):
            piece = source.randbytes(min(_PIECE_BYTES, size - start))
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()
