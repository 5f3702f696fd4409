"""The row of docs/design.md, 12, on what is carried. Each part has a module of its own, like `carry_signatures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.benchmarks.build import add_arguments
from scripts.benchmarks.carry_signatures import measure_signatures

if TYPE_CHECKING:
    import argparse

__all__ = ["SUMMARY", "add_arguments", "run"]

SUMMARY = "what signatures add to build and verify (peer: the same without)"


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    measure_signatures(arguments)
