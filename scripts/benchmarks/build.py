"""Row 1 of docs/design.md, 12: assemble from a warm store, against `tar | pigz -6 -p2` on the same files."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, Contender, in_turn, print_bar, print_machine, print_rates, speed_ratio
from scripts.benchmarks.mixed_content import make_content

if TYPE_CHECKING:
    import argparse

SUMMARY = "assemble mixed content from a warm store (peer: tar | pigz -6 -p2)"
OURS, PEER = "bundler", "tar \\| pigz -6 -p2"
MIN_SPEED, MAX_SIZE, MAX_MEMORY_MIB = 10, 1.04, 150


def add_arguments(parser: argparse.ArgumentParser, *, size_mib: int = 1024) -> None:
    """Declare the options that the archive benchmarks share."""
    parser.add_argument(
        "--size", type=int, default=size_mib, metavar="MIB", help=f"content in MiB (default {size_mib})"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        content = make_content(directory, arguments.size * MIB)
        content_bytes = content.content_bytes
        ours, theirs = directory / "ours.tar.gz", directory / "theirs.tar.gz"
        contenders = (
            Contender(
                OURS,
                [sys.executable, "-m", "scripts.benchmarks.once", "assemble", str(content.store), str(ours)],
                lambda: ours.unlink(missing_ok=True),
            ),
            Contender(
                PEER,
                ["sh", "-c", 'tar -C "$1" -cf - . | pigz -6 -p2 > "$2"', "sh", str(content.tree), str(theirs)],
                lambda: theirs.unlink(missing_ok=True),
            ),
        )
        runs = in_turn(contenders, arguments.rounds)
        speed = speed_ratio(runs, OURS, PEER)
        size = ours.stat().st_size / theirs.stat().st_size
        memory = max(run.peak_bytes for run in runs[OURS]) / MIB
    print_machine(arguments.rounds, content_bytes, arguments.directory)
    print_rates(runs, content_bytes)
    print("\n| bundler compared with its peer | | bar | |\n|---|---|---|---|")
    print_bar("speed", speed, "x", f">= {MIN_SPEED}x", met=speed >= MIN_SPEED)
    print_bar("size", size, "x", f"<= {MAX_SIZE}x", met=size <= MAX_SIZE)
    print_bar("memory", memory, " MiB", f"<= {MAX_MEMORY_MIB} MiB", met=memory <= MAX_MEMORY_MIB)
