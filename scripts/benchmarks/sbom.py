"""What a bill of materials costs to write: our writer, and cyclonedx-python-lib. The figures of docs/adr/0051."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, run_once

if TYPE_CHECKING:
    import argparse

SUMMARY = "writing a bill of materials, against cyclonedx-python-lib"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how large the bill is."""
    parser.add_argument("--components", type=int, nargs="+", default=[1000, 5000])


def run(arguments: argparse.Namespace) -> None:
    """Write bills of both makers, each in a process of its own, and print what that took."""
    print("| components | writer | processor time | peak memory |\n|---|---|---|---|")
    for count in arguments.components:
        for writer in ("ours", "cyclonedx-python-lib"):
            done = run_once([sys.executable, "-m", "scripts.benchmarks.sbom_once", writer, str(count)])
            print(f"| {count:,} | {writer} | {done.processor_s:.2f} s | {done.peak_bytes / MIB:.0f} MiB |", flush=True)
