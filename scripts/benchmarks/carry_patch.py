"""A patch release: a layer in zlib's gzip, of whose 60 MiB binary 3 % changed. The patch, what it costs, its memory."""

from __future__ import annotations

import sys
import tempfile
from filecmp import cmp
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, Contender, in_turn, print_bar, print_machine, print_rates, run_once

if TYPE_CHECKING:
    import argparse

MAKE, APPLY = "make a patch", "apply it"
MAX_PART, MAX_MEMORY = 0.25, 150


def measure_patch(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        once = [sys.executable, "-m", "scripts.benchmarks.once_patch"]
        run_once([*once, "layers", name])
        runs = in_turn(
            (
                Contender(MAKE, [*once, "make", name], lambda: None),
                Contender(APPLY, [*once, "apply", name], lambda: None),
            ),
            arguments.rounds,
        )
        if not cmp(directory / "result", directory / "new.tar.gz", shallow=False):
            raise SystemExit("the patch does not give the layer")
        size = (directory / "new.tar.gz").stat().st_size
        part = sum((directory / made).stat().st_size for made in ("patch", "recipe.json")) / size
    print_machine(arguments.rounds, size, arguments.directory)
    print("a layer in zlib's gzip with one binary of 60 MiB, of which 3 % changed; what others make is carried whole\n")
    print_rates(runs, size)
    memory = max(run.peak_bytes for of_one in runs.values() for run in of_one) / MIB
    print("\n| a patch release | | bar | |\n|---|---|---|---|")
    print_bar("patch and recipe, by the layer's size", part, "x", f"< {MAX_PART}x", met=part < MAX_PART)
    print_bar("memory", memory, " MiB", f"<= {MAX_MEMORY} MiB", met=memory <= MAX_MEMORY)
