"""Run commands in turn and compare them. Owns the clock, the memory reading and the table."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TimedRun:
    """One run of one command: wall clock and CPU seconds, and the largest resident memory of any of its processes."""

    seconds: float
    peak_bytes: int
    cpu_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Contender:
    """A command, and what makes the ground clean before each of its runs (not timed)."""

    name: str
    command: Sequence[str]
    clean: Callable[[], None]


def run_once(command: Sequence[str]) -> TimedRun:
    """Run a command to its end, its output unseen; CalledProcessError with its stderr when it fails.

    The kernel hands a parent's resident memory down to its child as a first peak, so this process stays small.
    """
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, stderr=output.read())
    return TimedRun(seconds, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)


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
