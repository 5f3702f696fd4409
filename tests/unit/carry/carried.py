"""Small sets of parts and parity, and what happens to them on the way."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

from bundler.carry.carried_set import find_carried
from bundler.carry.part_writer import ParityRequest, parts_output
from bundler.carry.repair import RepairReport, repair, require_repaired
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched

if TYPE_CHECKING:
    from pathlib import Path

NAME = "demo.tar.gz"
SECTOR = 2048


def write_set(directory: Path, size: int, part_bytes: int | None, percent: int, *, seed: int = 1) -> dict[str, bytes]:
    """Write parts and parity of random bytes; return all files of the directory."""
    directory.mkdir(exist_ok=True, parents=True)
    data = random.Random(seed).randbytes(size)
    parity = ParityRequest(percent, lambda _label, _size: Unwatched())
    with parts_output(part_bytes, parity=parity)(directory / NAME, lambda: None) as output:
        for at in range(0, size, 1_000_003):
            output.write_all([memoryview(data)[at : at + 1_000_003]])
        output.commit(Blob(Digest("sha256", hashlib.sha256(data).hexdigest()), size))
    return contents(directory)


def contents(directory: Path) -> dict[str, bytes]:
    """Return name -> bytes of every file."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def mend(source: Path, into: Path | None = None) -> RepairReport:
    """Repair as the command does."""
    found = find_carried(source)
    report = repair(found, found.required_index(), into, Unwatched())
    require_repaired(report)
    return report


def spoil(path: Path, offset: int, length: int = SECTOR) -> None:
    """Put other bytes into a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(length)
        file.seek(offset)
        file.write(bytes(byte ^ 0x5A for byte in old))
