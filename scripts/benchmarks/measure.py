"""Run commands in turn and compare them. Owns the table; clock and memory are read by `small_parent`."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MIB = 1024 * 1024
_SMALL_PARENT = Path(__file__).with_name("small_parent.py")


@dataclass(frozen=True, slots=True)
class TimedRun:
    """One run of one command: wall clock and processor seconds, and the largest memory of any of its processes."""

    seconds: float
    peak_bytes: int
    processor_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A command, and what makes the ground clean before each of its runs (not timed)."""

    name: str
    command: Sequence[str]
    clean: Callable[[], None]


def run_once(command: Sequence[str]) -> TimedRun:
    """Run a command to its end, its output unseen; CalledProcessError with its stderr when it fails.

    A small process starts it, which does not count (`small_parent`).
    """
    read, write = os.pipe()
    with tempfile.TemporaryFile("w+") as output, os.fdopen(read) as report:
        try:
            started = [sys.executable, "-I", "-S", str(_SMALL_PARENT), str(write), *command]
            subprocess.run(started, stdout=subprocess.DEVNULL, stderr=output, pass_fds=(write,), check=True)
        finally:
            os.close(write)
        code, seconds, processor_s, peak_bytes = map(float, report.read().split())
        if code:
            output.seek(0)
            raise subprocess.CalledProcessError(int(code), command, stderr=output.read())
    return TimedRun(seconds, int(peak_bytes), processor_s)


def in_turn(contenders: Sequence[Contender], rounds: int) -> Mapping[str, list[TimedRun]]:
    """Run every contender once per round, so that what else the machine does hits all of them; one round to warm up."""
    runs: dict[str, list[TimedRun]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            contender.clean()
            run = run_once(contender.command)
            if number:
                runs[contender.name].append(run)
    return runs


def print_rates(runs: Mapping[str, list[TimedRun]], content_bytes: int) -> None:
    """Print a table row for every contender."""
    print("| | median | slowest to quickest | peak memory |")
    print("|---|---|---|---|")
    for name, of_one in runs.items():
        rates = sorted(content_bytes / run.seconds / 1e6 for run in of_one)
        peak = max(run.peak_bytes for run in of_one) / MIB
        print(f"| {name} | {statistics.median(rates):.0f} MB/s | {rates[0]:.0f} to {rates[-1]:.0f} | {peak:.0f} MiB |")


def speed_ratio(runs: Mapping[str, list[TimedRun]], ours: str, peer: str) -> float:
    """Return how many times quicker ours is, by medians."""
    median = {name: statistics.median(run.seconds for run in runs[name]) for name in (ours, peer)}
    return median[peer] / median[ours]


def print_bar(what: str, value: float, unit: str, bar: str, *, met: bool) -> None:
    """Print one line of the verdict."""
    print(f"| {what} | {value:.3g}{unit} | {bar} | {'met' if met else 'NOT met'} |")


def print_machine(rounds: int, content_bytes: int, directory: str) -> None:
    """Print what the figures depend on."""
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"{content_bytes / MIB:.0f} MiB in {directory}, medians of {rounds} rounds in turn\n")
