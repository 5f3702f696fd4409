"""What parity promises of scattered bad sectors: a thousand of them on 6 GB are mended, wherever they are."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import tempfile
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.carry.part_writer import ParityRequest, parts_output
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched
from scripts.benchmarks.measure import MIB, print_bar, run_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.benchmarks.measure import TimedRun

NAME = "bench.tar.gz"
FULL_BYTES, PART_BYTES = 6 * 10**9, 1024 * MIB
PERCENT, SECTORS, SECTOR_BYTES = 10, 1000, 2048
SEEDS = (1, 2, 3)
MAX_MEMORY_MIB = 150


@dataclass(frozen=True, slots=True)
class MendedRun:
    """One set of bad sectors: how `bundler repair` ran, and whether every file is what was written."""

    run: TimedRun
    whole: bool


def measure_sectors(size: int, place: str, sectors: int = SECTORS) -> None:
    """Write a set in parts, spoil and mend it for every seed, and print what came of it.

    Arguments:
        size: of the archive, in bytes; the place needs it once, with a tenth for parity, and a part more.
        place: the directory to work in.
        sectors: how many are bad at a time.
    """
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=place) as name:
        directory = Path(name)
        _write_set(directory, size)
        _check(directory, "sha256sum", "--tag", output="sums")
        runs = [_mended(directory, seed, sectors) for seed in SEEDS]
    count = sum(run.whole for run in runs)
    slowest = max(run.run.seconds for run in runs)
    memory = max(run.run.peak_bytes for run in runs) / MIB
    print(f"\n{sectors} random bad sectors of 2 KiB on {size / 1e9:.3g} GB in parts of 1 GiB, {PERCENT} % parity;")
    print(f"seeds {', '.join(map(str, SEEDS))}, in {place}\n")
    print("| | | bar | |\n|---|---|---|---|")
    print_bar("sets that were mended", count, f" of {len(SEEDS)}", "all", met=count == len(SEEDS))
    print(f"| the slowest repair | {slowest:.0f} s | | |")
    print_bar("memory", memory, " MiB", f"<= {MAX_MEMORY_MIB} MiB", met=memory <= MAX_MEMORY_MIB)


def _write_set(directory: Path, size: int) -> None:
    parity = ParityRequest(PERCENT, lambda _label, _size: Unwatched())
    digest = hashlib.sha256()
    with parts_output(PART_BYTES, parity=parity)(directory / NAME, lambda: None) as output:
        for piece in _pieces(size):
            digest.update(piece)
            output.write_all([piece])
        output.commit(Blob(Digest("sha256", digest.hexdigest()), size))


def _pieces(size: int) -> Iterator[bytes]:
    chance = random.Random(1)  # noqa: S311 - the same bytes on every run, no secret
    for at in range(0, size, MIB):
        yield chance.randbytes(min(MIB, size - at))


def _mended(directory: Path, seed: int, sectors: int) -> MendedRun:
    _spoil(directory, seed, sectors)
    run = run_once([sys.executable, "-m", "bundler", "repair", str(directory)])
    return MendedRun(run, _check(directory, "sha256sum", "--quiet", "-c"))


def _spoil(directory: Path, seed: int, sectors: int) -> None:
    """Put other bytes into sectors of parts and parity alike, each as likely as any other."""
    chance = random.Random(seed)  # noqa: S311 - the same places on every run, no secret
    files = [path for path in sorted(directory.iterdir()) if path.suffix != ".json" and path.name != "sums"]
    ends = [*accumulate(path.stat().st_size // SECTOR_BYTES for path in files)]
    # of a range, for a list of all sectors would be counted as memory of what is started next
    for number in chance.sample(range(ends[-1]), sectors):
        which = bisect_right(ends, number)
        with files[which].open("r+b") as file:
            file.seek((number - (ends[which - 1] if which else 0)) * SECTOR_BYTES)
            file.write(chance.randbytes(SECTOR_BYTES))


def _check(directory: Path, *command: str, output: str = "") -> bool:
    """Write the sums of all files, or compare the files with them."""
    if output:
        names = sorted(path.name for path in directory.iterdir())
        with (directory / output).open("wb") as file:
            return subprocess.run([*command, *names], cwd=directory, stdout=file, check=True).returncode == 0
    return subprocess.run([*command, "sums"], cwd=directory, check=False).returncode == 0
