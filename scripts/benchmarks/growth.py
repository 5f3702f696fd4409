"""How time and memory of every command grow with the bundle: files, images, packages. Its peer is itself at a tenth."""

from __future__ import annotations

import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.growth_commands import NOT_MEASURED, SIDES
from scripts.benchmarks.growth_mirror import fetching_commands, mirror_figures, serving
from scripts.benchmarks.measure import MIB, run_once

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

SUMMARY = "time, memory and their exponents of every command at growing sizes (peer: itself at the size before)"
MAX_EXPONENT = 1.15
MAX_PEAK_MIB = 150
MAX_READY_S, READY_IMAGES = 2, 10_000
# below it the interpreter's own start is most of the time, and no exponent means anything
MIN_JUDGED = 1000
# what grows by less than that beyond the start does not grow
LEAST_S, LEAST_BYTES = 0.01, MIB


@dataclass(frozen=True, slots=True)
class Figures:
    """What one command took at one size; CPU seconds of all its processes, bytes of the largest of them."""

    cpu_seconds: float
    peak_bytes: int
    wall_s: float = 0


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
    load = os.getloadavg()[0]
    for size in sizes:
        for side in (side for side in SIDES if side in sides):
            count = min(size, arguments.images) if side == "images" else size
            if size != count and count in sizes:
                continue
            with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
                for row, figures in _measured(side, Path(name), count, mirror="mirror" in sides):
                    rows.setdefault(f"{side}: {row}", {})[count] = figures
                    # it takes long, and what is there by then says something
                    told = f"{figures.cpu_seconds:.2f} s, {figures.peak_bytes / MIB:.0f} MiB"
                    print(f"{count} {side}: {row}: {told}", file=sys.stderr)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, one run of each in {arguments.directory}, ", end=""
    )
    print(f"{arguments.directory}; load {load:.0f} before and {os.getloadavg()[0]:.0f} after\n")
    print_growth(rows, sizes, arguments.judged_from)


def _measured(side: str, directory: Path, count: int, *, mirror: bool) -> Iterator[tuple[str, Figures]]:
    with SIDES[side](directory, count) as commands:
        yield from _timed(commands)
        if mirror and (tree := directory / "tree").is_dir():
            for served in mirror_figures(tree):
                yield served.name, Figures(served.cpu_seconds, served.peak_bytes, served.wall_s)
            with serving(tree) as running:
                yield from _timed(fetching_commands(running, directory))
    shutil.rmtree(directory / "store", ignore_errors=True)


def _timed(commands: Iterator[tuple[str, list[str]]]) -> Iterator[tuple[str, Figures]]:
    for name, command in commands:
        try:
            done = run_once(command)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"scripts/bench: {name or command}: {error.stderr[-2000:]}") from error
        if name != NOT_MEASURED:
            yield name, Figures(done.processor_s, done.peak_bytes, done.seconds)


def print_growth(rows: Mapping[str, Mapping[int, Figures]], sizes: Sequence[int], judged_from: int) -> None:
    """Print a row for each command: time and memory at each size, and the exponents between the two largest."""
    print("| | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent of time | of memory | peak |")
    print("|---|" + "---|" * (len(sizes) + 3))
    for name, at in rows.items():
        cells = [
            f"{at[size].cpu_seconds:.2f} s, {at[size].peak_bytes / MIB:.0f} MiB" if size in at else "" for size in sizes
        ]
        peak = max(figures.peak_bytes for figures in at.values()) / MIB
        of_time, of_memory = (exponent(values, least, judged_from) for values, least in _growing(at))
        judged = "" if of_time is None else _judged(f"{of_time:.2f}", met=of_time <= MAX_EXPONENT)
        peaks = _judged(f"{peak:.0f} MiB", met=peak <= MAX_PEAK_MIB)
        # what is below the start of another process shows late, so that this one has no bar
        slope = "" if of_memory is None else f"{of_memory:.2f}"
        print(f"| {name} | {' | '.join(cells)} | {judged} | {slope} | {peaks} |")
    print(f"\nBars: exponent of time <= {MAX_EXPONENT} from {judged_from:,} on, peak <= {MAX_PEAK_MIB} MiB.")
    if ready := rows.get("images: mirror, until ready", {}).get(READY_IMAGES):
        wall = _judged(f"{ready.wall_s:.1f} s", met=ready.wall_s < MAX_READY_S)
        print(f"The mirror of {READY_IMAGES:,} images is ready after {wall} by the clock (bar: < {MAX_READY_S} s).")


def _growing(at: Mapping[int, Figures]) -> list[tuple[dict[int, float], float]]:
    """Return time and memory by size, each with what of it is too little to be looked at."""
    times: dict[int, float] = {size: figures.cpu_seconds for size, figures in at.items()}
    peaks: dict[int, float] = {size: figures.peak_bytes for size, figures in at.items()}
    return [(times, LEAST_S), (peaks, LEAST_BYTES)]


def exponent(at: Mapping[int, float], least: float, judged_from: int = MIN_JUDGED) -> float | None:
    """Return the slope of a figure over size, both logarithmic, between the two largest sizes that are judged.

    None where there are no two. The start of the program, as the smallest run shows it, does not count.

    Arguments:
        at: the figure at each size.
        least: what is too little, beyond the start, to be looked at.
    """
    start = at[min(at)] if min(at) < judged_from else 0
    judged = sorted(size for size in at if size >= judged_from)
    if len(judged) < len(("before", "after")):
        return None
    before, after = judged[-2:]
    figures = [max(least, at[size] - start) for size in (before, after)]
    return math.log(figures[1] / figures[0]) / math.log(after / before)


def _judged(text: str, *, met: bool) -> str:
    return text if met else f"{text}, NOT met"
