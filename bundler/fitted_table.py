"""Rows in columns, as wide as a terminal is where there is one. Pure.

Owns which column gives way and how; what is cut off stays to be seen in a pipe and with --json. A name is only cut
where that leaves it different from all others of its column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

from bundler.columns import padded, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

GAP = "  "
_DIGEST = re.compile("sha256:([0-9a-f]{12})[0-9a-f]{52}")


def short_digests(text: str) -> str:
    """Return a text with twelve digits of each digest, which tell two apart."""
    return _DIGEST.sub(r"\1", text)


def of_linux(text: str) -> str:
    """Return a list of platforms without the system that nodes of KubeEdge run."""
    return text.replace("linux/", "")


@dataclass(frozen=True, slots=True)
class GivingWay:
    """How the cells of a column become shorter.

    Arguments:
        spelled: says every cell in fewer words first.
        keep: the end of a name, which tells it from others, or the start that says what it is; "" to cut nothing off.
        least: characters that stay.
    """

    spelled: Callable[[str], str] = str
    keep: Literal["start", "end", ""] = ""
    least: int = 20

    def shortened(self, cell: str, characters: int) -> str:
        """Return a cell of so many characters, or as few as may be."""
        text = self.spelled(cell)
        most = max(characters, self.least)
        if not self.keep or len(text) <= most:
            return text
        return f"{text[: most - 1]}…" if self.keep == "start" else f"…{text[1 - most :]}"


def table_lines(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    columns: int | None = None,
    giving_way: Mapping[str, GivingWay] | None = None,
) -> Iterator[str]:
    """Yield rows under headings line by line; the last column is not padded.

    Arguments:
        columns: of the terminal; None for as many as it takes.
        giving_way: by heading, in the order in which columns give way.
    """
    widths = [max(width(line[number]) for line in chain((headings,), rows)) for number in range(len(headings))]
    if columns is not None:
        rows, widths = _fitted(headings, rows, widths, columns, giving_way or {})
    for line in chain((headings,), rows):
        yield GAP.join(map(padded, line, widths)).rstrip()


def _fitted(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    columns: int,
    giving_way: Mapping[str, GivingWay],
) -> tuple[Sequence[Sequence[str]], list[int]]:
    """Return the rows, and the widths of their columns, no wider than the terminal where that can be."""
    cells, fitted = [list(row) for row in rows], list(widths)
    for heading, way in giving_way.items():
        over = sum(fitted) + len(GAP) * (len(fitted) - 1) - columns
        if over <= 0:
            break
        number = headings.index(heading)
        short = _distinct([row[number] for row in cells], way, fitted[number] - over)
        for row, cell in zip(cells, short, strict=True):
            row[number] = cell
        fitted[number] = max(map(width, (heading, *short)))
    return cells, fitted


def _distinct(column: Sequence[str], way: GivingWay, characters: int) -> list[str]:
    """Return the cells of a column, shortened; names whole where two would look alike that are not."""
    meant: dict[str, set[str]] = {}
    for cell in column:
        meant.setdefault(way.shortened(cell, characters), set()).add(cell)
    short = (way.shortened(cell, characters) for cell in column)
    names = way.keep == "end"
    return [cell if names and len(meant[text]) > 1 else text for cell, text in zip(column, short, strict=True)]
