"""What of a damaged set can be mended. Pure: counts the bad blocks of each group."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.carry.block_scan import ScannedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.carry.parity_layout import ParityLayout


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What to do with the files of a set.

    Arguments:
        mendable: damaged files all of whose blocks can be had.
        lost: damaged files with blocks that nothing gives back, each with these blocks alone as `bad`.
        bad: the numbers of all bad blocks.
    """

    mendable: tuple[ScannedFile, ...]
    lost: tuple[ScannedFile, ...]
    bad: frozenset[int]


def repair_plan(files: Sequence[ScannedFile], layout: ParityLayout) -> RepairPlan:
    """Tell which files can be mended: a group is, while its bad blocks are at most its parity blocks."""
    bad = frozenset(number for file in files for number in file.bad)
    counts = Counter(map(layout.group_of, bad))
    mendable: list[ScannedFile] = []
    lost: list[ScannedFile] = []
    for file in files:
        beyond = tuple(number for number in file.bad if counts[layout.group_of(number)] > layout.parity_rows)
        if beyond:
            lost.append(ScannedFile(file.name, file.path, file.first, file.end, beyond, damaged=True))
        elif file.damaged:
            mendable.append(file)
    return RepairPlan(tuple(mendable), tuple(lost), bad)
