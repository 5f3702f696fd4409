"""Which blocks of an archive's files protect each other. Pure; docs/formats.md, "Parity".

All data files are cut into blocks of 64 KiB, the last one of each file shorter, and these are numbered through all
files in order. Block n belongs to group n mod G, and is its row n div G. So neighbours are in different groups, and
what a file has in one group differs from what it has in another by one block at most. Rows that no block is left for
are zeros. The parity blocks of all groups are numbered in the same way, behind the data's, and cut into files in order.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK_BYTES = 64 * 1024
# GF(2^8) has no more rows for one code
MAX_GROUP_BLOCKS = 255
# what is kept of a set while it is checked grows with its blocks: 120 GiB
MAX_BLOCKS = 2_000_000


class BlockRun(NamedTuple):
    """Neighbouring blocks of one file, where they lie in it, and how many bytes they are: the last may be shorter."""

    file: int
    offset: int
    blocks: int
    bytes: int


class BlockMap:
    """The blocks of several files, numbered through all of them. `starts` has the number of each file's first one.

    Arguments:
        sizes: bytes of each file that are blocks.
        base: where in each file the first block begins.
    """

    def __init__(self, sizes: Sequence[int], base: int = 0) -> None:
        self.base = base
        self.starts = tuple(accumulate(map(blocks_in, sizes), initial=0))
        self._sizes = tuple(sizes)

    @property
    def total(self) -> int:
        """How many blocks there are."""
        return self.starts[-1]

    def runs(self, number: int, count: int) -> Iterator[BlockRun]:
        """Yield where so many blocks from a number on lie; those beyond the last file lie nowhere."""
        starts, end = self.starts, min(number + count, self.total)
        while number < end:
            file = bisect_right(starts, number) - 1
            offset = (number - starts[file]) * BLOCK_BYTES
            blocks = min(end, starts[file + 1]) - number
            length = min(offset + blocks * BLOCK_BYTES, self._sizes[file]) - offset
            yield BlockRun(file, self.base + offset, blocks, length)
            number += blocks


@dataclass(frozen=True, slots=True)
class ParityLayout:
    """How the blocks of a set are grouped.

    Arguments:
        data_blocks: how many blocks the data files have together.
        groups: how many groups they form.
        data_rows, parity_rows: how many blocks of each kind a group has.
    """

    data_blocks: int
    groups: int
    data_rows: int
    parity_rows: int

    def __post_init__(self) -> None:
        if min(self.data_blocks, self.groups, self.data_rows, self.parity_rows) < 1:
            raise ValueError(tr("a set has blocks, groups and rows"))
        if self.data_rows + self.parity_rows > MAX_GROUP_BLOCKS:
            raise ValueError(tr("a group has at most {max_group_blocks} blocks", max_group_blocks=MAX_GROUP_BLOCKS))
        if not self.groups * (self.data_rows - 1) < self.data_blocks <= self.groups * self.data_rows:
            raise ValueError(tr("the groups do not fit the blocks"))
        if self.total > MAX_BLOCKS:
            raise ValueError(tr("a set has at most {max_blocks} blocks", max_blocks=MAX_BLOCKS))

    @property
    def parity_blocks(self) -> int:
        """How many parity blocks there are."""
        return self.groups * self.parity_rows

    @property
    def total(self) -> int:
        """How many blocks there are, of both kinds."""
        return self.data_blocks + self.parity_blocks

    def group_of(self, number: int) -> int:
        """Return the group of a block; parity blocks are numbered behind the data blocks."""
        return (number if number < self.data_blocks else number - self.data_blocks) % self.groups

    def row_of(self, number: int) -> int:
        """Return the row of a block in its group; the parity rows come behind the data rows."""
        if number < self.data_blocks:
            return number // self.groups
        return self.data_rows + (number - self.data_blocks) // self.groups

    def members(self, group: int) -> Iterator[tuple[int, int]]:
        """Yield row and number of each block of a group; rows of zeros have no number, and are left out."""
        for row in range(self.data_rows):
            if (number := row * self.groups + group) < self.data_blocks:
                yield row, number
        for row in range(self.parity_rows):
            yield self.data_rows + row, self.data_blocks + row * self.groups + group


def parity_layout(sizes: Sequence[int], percent: int) -> ParityLayout:
    """Return the layout with the largest groups, and at least so much parity, rounded up in each group.

    Arguments:
        sizes: bytes of each data file.
        percent: how much parity, of the data.

    Raises ValueError for a set that is too large.
    """
    blocks = sum(map(blocks_in, sizes))
    most = max(rows for rows in range(1, MAX_GROUP_BLOCKS) if rows + _parity_rows(rows, percent) <= MAX_GROUP_BLOCKS)
    groups = -(-blocks // most)
    rows = -(-blocks // groups)
    return ParityLayout(blocks, groups, rows, _parity_rows(rows, percent))


def shares(blocks: int, files: int) -> tuple[int, ...]:
    """Return how many blocks each of several files has, as equal as can be."""
    ends = [blocks * (number + 1) // files for number in range(files)]
    return tuple(end - begin for begin, end in zip([0, *ends], ends, strict=False))


def blocks_in(size: int) -> int:
    """Return how many blocks so many bytes are."""
    return -(-size // BLOCK_BYTES)


def _parity_rows(data_rows: int, percent: int) -> int:
    return -(-data_rows * percent // 100)
