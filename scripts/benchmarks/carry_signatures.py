"""What signing adds to a build, and asking for signatures to verify: in processor time, since others may work too."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, Contender, in_turn, print_bar, print_machine, print_rates, run_once
from scripts.benchmarks.mixed_content import make_content

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from scripts.benchmarks.measure import TimedRun

BUILD, SIGNED_BUILD = "build", "build, signed by two"
VERIFY, ASKING_VERIFY = "verify", "verify, asking for two signatures"
MAX_ADDED = 0.02


def measure_signatures(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        content = make_content(directory, arguments.size * MIB)
        content_bytes = content.content_bytes
        runs = in_turn(_contenders(directory, content.store), arguments.rounds)
    print_machine(arguments.rounds, content_bytes, arguments.directory)
    print_rates(runs, content_bytes)
    print("\n| added by signatures | | bar | |\n|---|---|---|---|")
    for what, with_it, without in (("build", SIGNED_BUILD, BUILD), ("verify", ASKING_VERIFY, VERIFY)):
        added = _cpu_s(runs, with_it) / _cpu_s(runs, without) - 1
        print_bar(what, 100 * added, " %", f"< {100 * MAX_ADDED:g} %", met=added < MAX_ADDED)


def _contenders(directory: Path, store: Path) -> tuple[Contender, ...]:
    archive, made = directory / "new.tar.gz", directory / "made/a.tar.gz"
    once = [sys.executable, "-m", "scripts.benchmarks.once_signed"]
    made.parent.mkdir()
    run_once([*once, "sign", str(store), str(made)])

    def gone() -> None:
        for path in directory.glob(f"{archive.name}*"):
            path.unlink()

    return (
        Contender(BUILD, [*once, "build", str(store), str(archive)], gone),
        Contender(SIGNED_BUILD, [*once, "sign", str(store), str(archive)], gone),
        Contender(VERIFY, [*once, "verify", str(store), str(made)], lambda: None),
        Contender(ASKING_VERIFY, [*once, "ask", str(store), str(made)], lambda: None),
    )


def _cpu_s(runs: Mapping[str, list[TimedRun]], name: str) -> float:
    return median(run.processor_s for run in runs[name])
