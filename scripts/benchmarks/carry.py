"""The row of docs/design.md, 12, on what is carried. Each part has a module of its own, like `carry_signatures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.benchmarks.build import add_arguments as add_archive_arguments
from scripts.benchmarks.carry_signatures import measure_signatures

if TYPE_CHECKING:
    import argparse

SUMMARY = "what signatures add to build and verify (peer: the same without)"
# what signatures add is the loading of a library and does not grow with the content, which is some gigabytes
SIZE_MIB = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_archive_arguments(parser, size_mib=SIZE_MIB)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    measure_signatures(arguments)
