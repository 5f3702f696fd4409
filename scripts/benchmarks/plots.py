"""The pictures of docs/benchmarks.md, drawn from the tables that stand there, so that they show the same figures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.bar_chart import Bar, Group, chart

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SUMMARY = "draw the pictures of docs/benchmarks.md from its tables"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
OURS = ("bundler", "mirror")
_NUMBER = re.compile(r"[\d.]+(?:e[+-]?\d+)?")
# a bar between cells, not one that belongs to a cell's text
_BETWEEN = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture.

    Arguments:
        section, table: the heading of the page, and which of its tables.
        column: the one with the values; the first has the groups, the second the programs.
    """

    name: str
    title: str
    section: str
    table: int
    column: int
    unit: str


PLOTS = (
    Plot("peers-wall-clock", "Build, fetch and push: seconds, less is better", "Peers", 0, 2, "s"),
    Plot("peers-transfers", "Build, fetch and push: processor time, less is better", "Peers", 0, 4, "s"),
    Plot("peers-served", "A gigabyte served: the server's processor time, less is better", "Peers", 1, 4, "s/GB"),
    Plot("framework", "Servers with one worker: processor time, less is better", "A framework beside it", 0, 4, ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--directory", default=str(PAGE.parent / "plots"), help="where to draw (default docs/plots)")


def run(arguments: argparse.Namespace) -> None:
    """Draw all of them, and print their names."""
    directory = Path(arguments.directory)
    directory.mkdir(exist_ok=True)
    for name, picture in pictures(PAGE.read_text()).items():
        (directory / name).write_text(picture)
        print(directory / name)


def pictures(page: str) -> dict[str, str]:
    """Return the pictures of a page, by file name."""
    return {f"{plot.name}.svg": chart(plot.title, plot.unit, _groups(page, plot)) for plot in PLOTS}


def _groups(page: str, plot: Plot) -> list[Group]:
    groups: dict[str, list[Bar]] = {}
    for heading, name, *rest in tables(page, plot.section)[plot.table][1:]:
        value = _NUMBER.match(rest[plot.column - 2])
        if value is None:
            raise SystemExit(f"scripts/bench: {heading}, {name} has no number in column {plot.column}")
        unit = "" if plot.unit else f", {rest[plot.column - 2][value.end() :].strip()}"
        groups.setdefault(heading + unit, []).append(Bar(name, float(value[0]), name in OURS))
    return [Group(heading, bars) for heading, bars in groups.items()]


def tables(page: str, section: str) -> list[list[Sequence[str]]]:
    """Return the cells of each table of a section, its head first and the line below that left out."""
    found: list[list[Sequence[str]]] = []
    text = re.split(rf"^## {re.escape(section)}$", page, maxsplit=1, flags=re.MULTILINE)[1]
    in_table = False
    for line in re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0].splitlines():
        if not line.startswith("|"):
            in_table = False
            continue
        if not in_table:
            found.append([])
            in_table = True
        cells = [cell.strip().replace("\\|", "|") for cell in _BETWEEN.split(line.strip())[1:-1]]
        if set("".join(cells)) != {"-"}:
            found[-1].append(cells)
    return found
