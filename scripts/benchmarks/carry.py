"""The rows of docs/design.md, 12, on what is carried: each of them has a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.benchmarks.build import add_arguments as add_archive_arguments
from scripts.benchmarks.carry_delta_build import measure_delta_builds
from scripts.benchmarks.carry_parts import measure_parts
from scripts.benchmarks.carry_patch import measure_patch
from scripts.benchmarks.carry_sectors import FULL_BYTES, measure_sectors
from scripts.benchmarks.carry_signatures import measure_signatures
from scripts.benchmarks.measure import MIB

if TYPE_CHECKING:
    import argparse

SUMMARY = "signatures (peer: without), split (peer: split, sha256sum), parity, repair, deltas (peer: full builds)"
# what signatures add is the loading of a library and does not grow with the content, which is some gigabytes
SIZE_MIB = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_archive_arguments(parser, size_mib=SIZE_MIB)
    parser.add_argument("--parts-size", type=int, default=1024, metavar="MIB", help="of what is split (default 1024)")
    parser.add_argument("--delta-size", type=int, default=2048, metavar="MIB", help="of twenty images (default 2048)")
    parser.add_argument("--parts-directory", default="/var/tmp", help="where that is done (default /var/tmp)")  # noqa: S108 - a disk is wanted, named by a person otherwise
    parser.add_argument(
        "--full",
        action="store_true",
        help="then a thousand bad sectors on 6 GB, three times: 14 GB of room there, and some minutes",
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    measure_signatures(arguments)
    print()
    measure_parts(arguments.parts_size * MIB, arguments.parts_directory, arguments.rounds)
    print()
    measure_delta_builds(arguments.delta_size * MIB, arguments.directory, arguments.rounds)
    print()
    measure_patch(arguments)
    if arguments.full:
        print()
        measure_sectors(FULL_BYTES, arguments.parts_directory)
