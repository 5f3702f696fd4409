"""Content like that of a KubeEdge bundle: 60 % compressed already, 30 % programs, 10 % text; the same on every run.

Programs and text are those of this machine. What is compressed already is `gzip -6` of those programs (as image layers
are), filled up with random bytes. Files lie in a store under their SHA-256; a tree of hard links gives them names.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import sys
import sysconfig
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import run_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE_BYTES = 1024 * 1024
RANDOM_FILE_BYTES = 24 * PIECE_BYTES
PROGRAMS = ("/usr/bin", "/usr/sbin", "/usr/lib")
SHARE_COMPRESSED, SHARE_PROGRAMS = 0.6, 0.3


@dataclass(frozen=True, slots=True)
class Content:
    """Two views of the same files: a store of blobs, and a tree of names."""

    store: Path
    tree: Path

    @property
    def content_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(path.stat().st_size for path in self.tree.rglob("*") if path.is_file())


def make_content(directory: Path, size: int) -> Content:
    """Fill a directory with about so many bytes, in a process of its own: the one that measures stays small."""
    run_once([sys.executable, "-m", "scripts.benchmarks.mixed_content", str(directory), str(size)])
    return Content(directory / "store", directory / "tree")


def _fill(content: Content, size: int) -> None:
    content.store.mkdir()
    programs = list(_until(_programs(), size * SHARE_PROGRAMS))
    text = list(_until(_texts(), size * (1 - SHARE_COMPRESSED - SHARE_PROGRAMS)))
    for name, paths in (("programs", programs), ("text", text)):
        for number, path in enumerate(paths):
            _add(content, f"{name}/{number:05}", _pieces(path))
    compressed = 0
    for number, path in enumerate(programs):
        if compressed < size * SHARE_COMPRESSED:
            compressed += _add(content, f"compressed/{number:05}.gz", _deflated(_pieces(path)))
    for number in itertools.count():
        left = int(size * SHARE_COMPRESSED) - compressed
        if left <= 0:
            break
        compressed += _add(content, f"compressed/{number:05}.tar.gz", _random(number, min(left, RANDOM_FILE_BYTES)))


def _add(content: Content, name: str, pieces: Iterable[bytes]) -> int:
    partial = content.store / "partial"
    digest = hashlib.sha256()
    with partial.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
    stored = partial.rename(content.store / digest.hexdigest())
    named = content.tree / name
    named.parent.mkdir(parents=True, exist_ok=True)
    named.hardlink_to(stored)
    return stored.stat().st_size


def _until(paths: Iterable[Path], size: float) -> Iterator[Path]:
    """Yield paths until their files are of that size together; what is larger alone is left out."""
    left = size
    for path in paths:
        if left <= 0:
            return
        if path.stat().st_size <= size:
            yield path
            left -= path.stat().st_size


def _programs() -> Iterator[Path]:
    for path in _largest_first(path for top in PROGRAMS for path in Path(top).rglob("*")):
        with path.open("rb") as file:
            if file.read(4) == b"\x7fELF":
                yield path


def _texts() -> Iterator[Path]:
    yield from _largest_first(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))


def _largest_first(paths: Iterable[Path]) -> list[Path]:
    """Return plain files in an order that depends on nothing but themselves."""
    found = (path for path in paths if path.is_file() and not path.is_symlink())
    return sorted(found, key=lambda path: (-path.stat().st_size, str(path)))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _deflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    for piece in pieces:
        yield deflate.compress(piece)
    yield deflate.flush()


def _random(seed: int, size: int) -> Iterator[bytes]:
    source = random.Random(seed)  # noqa: S311 - the same bytes on every run, no secret
    for start in range(0, size, PIECE_BYTES):
        yield source.randbytes(min(PIECE_BYTES, size - start))


if __name__ == "__main__":
    _directory = Path(sys.argv[1])
    _fill(Content(_directory / "store", _directory / "tree"), int(sys.argv[2]))
