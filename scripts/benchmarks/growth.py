"""How time and memory of every command grow with the bundle: files, images, packages. Its peer is itself at a tenth."""

from __future__ import annotations

import math
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.growth_commands import SIDES
from scripts.benchmarks.growth_mirror import mirror_figures
from scripts.benchmarks.measure import MIB, run_once

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

SUMMARY = "time, memory and their exponents of every command at growing sizes (peer: itself at the size before)"
MAX_EXPONENT = 1.15
MAX_PEAK_MIB = 150
# below it the interpreter's own start is most of the time, and no exponent means anything
MIN_JUDGED = 1000


@dataclass(frozen=True, slots=True)
class Figures:
    """What one command took at one size; CPU seconds of all its processes, bytes of the largest of them."""

    cpu_seconds: float
    peak_bytes: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--sizes", default="10,1000,10000,50000", help="how many of each (%(default)s)")
    parser.add_argument("--sides", default=",".join((*SIDES, "mirror")), help="which rows (%(default)s)")
    parser.add_argument("--images", type=int, default=10_000, help="at most so many images (%(default)s)")
    parser.add_argument("--judged-from", type=int, default=MIN_JUDGED, help="the smallest size judged (%(default)s)")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (%(default)s)")  # noqa: S108 - see docs


def run(arguments: argparse.Namespace) -> None:
    """Measure and print, one size after the other, each command once: what is looked at is far above any noise."""
    sizes = [int(text) for text in arguments.sizes.split(",")]
    sides = arguments.sides.split(",")
    rows: dict[str, dict[int, Figures]] = {}
    for size in sizes:
        for side in (side for side in SIDES if side in sides):
            count = min(size, arguments.images) if side == "images" else size
            if size != count and count in sizes:
                continue
            with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
                for row, figures in _measured(side, Path(name), count, mirror="mirror" in sides):
                    rows.setdefault(f"{side}: {row}", {})[count] = figures
    print(f"{platform.machine()}, Python {platform.python_version()}, one run of each in {arguments.directory}\n")
    print_growth(rows, sizes, arguments.judged_from)


def _measured(side: str, directory: Path, count: int, *, mirror: bool) -> Iterator[tuple[str, Figures]]:
    with SIDES[side](directory, count) as commands:
        for name, command in commands:
            try:
                done = run_once(command)
            except subprocess.CalledProcessError as error:
                raise SystemExit(f"scripts/bench: {name}: {error.stderr[-2000:]}") from error
            yield name, Figures(done.processor_s, done.peak_bytes)
        if mirror and (tree := directory / "tree").is_dir():
            for name, cpu_seconds, peak_bytes in mirror_figures(tree):
                yield name, Figures(cpu_seconds, peak_bytes)
    shutil.rmtree(directory / "store", ignore_errors=True)


def print_growth(rows: Mapping[str, Mapping[int, Figures]], sizes: Sequence[int], judged_from: int) -> None:
    """Print a row for each command: time and memory at each size, and the exponent between the two largest."""
    print("| | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent | peak |")
    print("|---|" + "---|" * (len(sizes) + 2))
    for name, at in rows.items():
        cells = [
            f"{at[size].cpu_seconds:.2f} s, {at[size].peak_bytes / MIB:.0f} MiB" if size in at else "" for size in sizes
        ]
        peak = max(figures.peak_bytes for figures in at.values()) / MIB
        slope = exponent(at, judged_from)
        judged = "" if slope is None else _judged(f"{slope:.2f}", met=slope <= MAX_EXPONENT)
        peaks = _judged(f"{peak:.0f} MiB", met=peak <= MAX_PEAK_MIB)
        print(f"| {name} | {' | '.join(cells)} | {judged} | {peaks} |")
    print(f"\nBars: exponent <= {MAX_EXPONENT} from {judged_from:,} on, peak <= {MAX_PEAK_MIB} MiB.")


def exponent(at: Mapping[int, Figures], judged_from: int = MIN_JUDGED) -> float | None:
    """Return the slope of time over size, both logarithmic, between the two largest sizes that are judged.

    None where there are no two. The start of the program, as the smallest run shows it, does not count.
    """
    start = at[min(at)].cpu_seconds if min(at) < judged_from else 0
    judged = sorted(size for size in at if size >= judged_from)
    if len(judged) < len(("before", "after")):
        return None
    before, after = judged[-2:]
    # what takes next to no time beyond the start does not grow
    least = 0.01
    times = [max(least, at[size].cpu_seconds - start) for size in (before, after)]
    return math.log(times[1] / times[0]) / math.log(after / before)


def _judged(text: str, *, met: bool) -> str:
    return text if met else f"{text}, NOT met"
