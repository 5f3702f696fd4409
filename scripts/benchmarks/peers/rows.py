"""A row of the comparison: what several programs do in turn, timed; and the words for what is left out."""

from __future__ import annotations

import shlex
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import Contender, in_turn, run_once
from scripts.benchmarks.peers.programs import found, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scripts.benchmarks.measure import TimedRun

OURS = "bundler"
BUNDLER = shlex.quote(str(Path(sys.executable).with_name("bundler")))


@dataclass(frozen=True, slots=True)
class PeerCommand:
    """What one program does in a row.

    Arguments:
        needs: programs without which it is left out.
        script: for sh, which ends at the first failure; a program that is needed stands in it as `$NAME`.
        clean: what makes the ground clean before each run (not timed).
    """

    name: str
    needs: tuple[str, ...]
    script: str
    clean: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Timed:
    """A row that was measured: wall clock and processor seconds of each program, round by round."""

    name: str
    runs: Mapping[str, Sequence[TimedRun]]


def time_row(name: str, commands: Sequence[PeerCommand], rounds: int) -> Timed:
    """Run in turn what is installed."""
    contenders = [_contender(command) for command in commands if not missing(command.needs)]
    return Timed(name, in_turn(contenders, rounds))


def run_once_if_installed(command: PeerCommand) -> bool:
    """Run it, not timed; return whether it is installed."""
    if missing(command.needs):
        return False
    run_once(_contender(command).command)
    return True


def _contender(command: PeerCommand) -> Contender:
    places = "".join(f"{need}={shlex.quote(str(found(need)))}\n" for need in command.needs)
    return Contender(command.name, ["sh", "-c", f"set -e\n{places}{command.script}"], command.clean)


def print_timed(rows: Sequence[Timed]) -> None:
    """Print a table of what was timed; ours compared: how many times as long as the peer's."""
    print("| | | wall clock | quickest to slowest | processor time | wall clock of ours compared |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        ours_s = statistics.median(run.seconds for run in row.runs[OURS])
        for name, runs in row.runs.items():
            wall = sorted(run.seconds for run in runs)
            median_s, used_s = statistics.median(wall), statistics.median(run.processor_s for run in runs)
            compared = "" if name == OURS else f"{ours_s / median_s:.2f}x"
            spread = f"{wall[0]:.2f} to {wall[-1]:.2f}"
            print(f"| {row.name} | {name} | {median_s:.2f} s | {spread} | {used_s:.2f} s | {compared} |")
