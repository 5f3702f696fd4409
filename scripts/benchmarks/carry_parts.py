"""Parts, parity and repair: split against `split` and `sha256sum`, parity by processor time, memory of all three."""

from __future__ import annotations

import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.carry.erasure_code import ErasureCode
from bundler.carry.parity_layout import BLOCK_BYTES
from scripts.benchmarks.measure import (
    MIB,
    Contender,
    in_turn,
    print_bar,
    print_machine,
    print_rates,
    speed_ratio,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.benchmarks.measure import TimedRun

SPLIT, PARITY, REPAIR, PEER = "bundler split", "bundler split --parity 10%", "bundler repair", "split, then sha256sum"
MIN_SPEED, MIN_PARITY, MAX_MEMORY = 1.0, 500, 150
PARTS = 12
# what is written is on the disk, and has its sums: of the parts, and of the whole
PEER_COMMAND = 'cd "$2" && split -b "$3" -d -a 3 "$1" p. && sync -f . && sha256sum p.* > sums && sha256sum "$1" >> sums'
DATA_ROWS, PARITY_ROWS = 231, 24
CODE_ROUNDS = 5


def measure_parts(size: int, place: str, rounds: int) -> None:
    """Measure and print.

    Arguments:
        size: of the archive, in bytes.
        place: the directory to work in.
        rounds: how many count.
    """
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=place) as name:
        directory = Path(name)
        archive = directory / "bench.tar.gz"
        _write_random(archive, size)
        part = max(BLOCK_BYTES // 1024, size // PARTS // 1024)
        runs = in_turn(_contenders(directory, archive, part), rounds)
    print_machine(rounds, size, place)
    print_rates(runs, size)
    _print_verdict(runs, size)


def _contenders(directory: Path, archive: Path, part_kib: int) -> Sequence[Contender]:
    plain, protected, theirs = (directory / name for name in ("plain", "protected", "theirs"))
    bundler = [sys.executable, "-m", "bundler"]
    split = [*bundler, "split", str(archive), f"--size={part_kib}KiB", "-o"]

    def emptied(place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()

    return (
        Contender(SPLIT, [*split, str(plain)], lambda: emptied(plain)),
        Contender(PARITY, [*split, str(protected), "--parity=10%"], lambda: emptied(protected)),
        Contender(
            REPAIR,
            [*bundler, "repair", str(protected)],
            (protected / "bench.tar.gz.005").unlink,
        ),
        Contender(
            PEER,
            ["sh", "-ec", PEER_COMMAND, "sh", str(archive), str(theirs), f"{part_kib}K"],
            lambda: emptied(theirs),
        ),
    )


def _print_verdict(runs: Mapping[str, list[TimedRun]], size: int) -> None:
    speed = speed_ratio(runs, SPLIT, PEER)
    spent = [
        with_parity.processor_s - without.processor_s
        for with_parity, without in zip(runs[PARITY], runs[SPLIT], strict=True)
    ]
    whole = size / MIB / statistics.median(spent)
    code = _code_rate()
    memory = max(run.peak_bytes for name in (SPLIT, PARITY, REPAIR) for run in runs[name]) / MIB
    print("\n| | | bar | |\n|---|---|---|---|")
    print_bar("split, by the peer's speed", speed, "x", f">= {MIN_SPEED}x", met=speed >= MIN_SPEED)
    print_bar("the code alone, on a core", code, " MiB/s", f">= {MIN_PARITY} MiB/s", met=code >= MIN_PARITY)
    print(f"| parity with reading, sums and writing, for each second of a core | {whole:.0f} MiB | | |")
    print_bar("memory", memory, " MiB", f"<= {MAX_MEMORY} MiB", met=memory <= MAX_MEMORY)


def _code_rate() -> float:
    """Return how many MiB of data a core protects in a second, in groups of 255 blocks."""
    code = ErasureCode(DATA_ROWS, PARITY_ROWS)
    rows = [random.Random(row).randbytes(BLOCK_BYTES) for row in range(DATA_ROWS)]  # noqa: S311 - the same bytes on every run, no secret
    spent = []
    for _ in range(CODE_ROUNDS):
        start = time.thread_time()
        code.parity(rows)
        spent.append(time.thread_time() - start)
    return DATA_ROWS * BLOCK_BYTES / MIB / min(spent)


def _write_random(path: Path, size: int) -> None:
    chance = random.Random(1)  # noqa: S311 - the same bytes on every run, no secret
    with path.open("wb") as file:
        for at in range(0, size, MIB):
            file.write(chance.randbytes(min(MIB, size - at)))
