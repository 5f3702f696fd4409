"""Closure row of docs/design.md, 12: 20,000 packages, cached metadata, against `dnf repoquery --resolve`, cached.

Both read metadata that lie on the disk and are not asked for again: ours compressed, as the store keeps them, dnf its
own .solv files. `dnf install --assumeno` stands beside them, because only that solves; repoquery lists providers.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.benchmarks.closure_once import ARCH, PACKAGES
from scripts.benchmarks.measure import MIB, Contender, TimedRun, in_turn, print_bar, run_once, speed_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OURS, OURS_ALL = "bundler", "bundler, with all file lists"
PEER, SOLVER = "dnf repoquery --requires --resolve --recursive", "dnf install --assumeno"
MIN_SPEED, MAX_MEMORY_MIB = 3, 600
# a path outside what primary metadata list, so that the file lists are needed
DEEP_PATH = "/usr/libexec/lib*-0"
_ONCE = [sys.executable, "-m", "scripts.benchmarks.closure_once"]
_DNF = ["dnf", "--quiet", "--noplugins", "--releasever=8", f"--forcearch={ARCH}", "--setopt=reposdir=/dev/null"]
# dnf's own answer to "shall I?" is no, which is exit code 1
_ANSWERED_NO = 'if "$@"; then false; else test $? -eq 1; fi'


@dataclass(frozen=True, slots=True)
class ClosureRow:
    """What was measured.

    Arguments:
        runs: contender -> its runs.
        chosen: how many packages the specs come to, of PACKAGES.
        speed: how many times quicker than PEER. memory_bytes: our peak with all file lists.
    """

    runs: Mapping[str, list[TimedRun]]
    chosen: int
    speed: float
    memory_bytes: int


def run_closure(directory: Path, rounds: int) -> tuple[ClosureRow, ...]:
    """Make the repository below a directory, run all contenders in turn, return the row.

    Raises CalledProcessError when dnf or ours fails.
    """
    repository = directory / "closure"
    run_once([*_ONCE, str(repository)])
    specs = (repository / "specs").read_text().split()
    ours = [*_ONCE, str(repository), *specs]
    dnf = [*_DNF, f"--setopt=cachedir={directory / 'closure-cache'}", f"--installroot={directory / 'closure-root'}"]
    dnf += [f"--repofrompath=bench,{repository.as_uri()}", "--repo=bench", "--nogpgcheck"]
    dnf += ["--setopt=install_weak_deps=0"]
    run_once([*dnf, "makecache"])
    cached = [*dnf, "--cacheonly"]
    contenders = (
        Contender(OURS, ours, _nothing),
        Contender(OURS_ALL, [*ours, DEEP_PATH], _nothing),
        Contender(PEER, [*cached, "repoquery", "--requires", "--resolve", "--recursive", *specs], _nothing),
        Contender(SOLVER, ["sh", "-c", _ANSWERED_NO, "sh", *cached, "install", "--assumeno", *specs], _nothing),
    )
    runs = in_turn(contenders, rounds)
    solved = subprocess.run(ours, check=True, capture_output=True, text=True)
    memory = max(run.peak_bytes for run in runs[OURS_ALL])
    return (ClosureRow(runs, int(solved.stdout), speed_ratio(runs, OURS, PEER), memory),)


def print_closure(row: ClosureRow) -> None:
    """Print the tables of a row."""
    print(f"{row.chosen} of {PACKAGES} packages chosen\n")
    print("| | median | slowest to quickest | peak memory |")
    print("|---|---|---|---|")
    for name, runs in row.runs.items():
        seconds = sorted(run.seconds for run in runs)
        peak = max(run.peak_bytes for run in runs) / MIB
        print(
            f"| {name} | {statistics.median(seconds):.2f} s | {seconds[-1]:.2f} to {seconds[0]:.2f} | {peak:.0f} MiB |"
        )
    print("\n| bundler compared with its peer | | bar | |\n|---|---|---|---|")
    memory = row.memory_bytes / MIB
    print_bar("speed", row.speed, "x", f">= {MIN_SPEED}x", met=row.speed >= MIN_SPEED)
    print_bar("memory with all file lists", memory, " MiB", f"<= {MAX_MEMORY_MIB} MiB", met=memory <= MAX_MEMORY_MIB)


def _nothing() -> None:
    """Leave the ground as it is: warm caches are the point."""
