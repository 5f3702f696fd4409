"""What is guaranteed of parity, counted: how many blocks of each group a loss takes."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bundler.carry.parity_layout import BLOCK_BYTES, MAX_GROUP_BLOCKS, BlockMap, parity_layout, shares

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.carry.parity_layout import ParityLayout

GIB = 1024**3
FAT32 = 4 * GIB - 1
SECTOR = 2048


def _parts(size: int, part_bytes: int) -> list[int]:
    return [min(part_bytes, size - at) for at in range(0, size, part_bytes)]


def _worst(layout: ParityLayout, numbers: Iterable[int]) -> int:
    return max(Counter(map(layout.group_of, numbers)).values(), default=0)


def _blocks_of_files(sizes: list[int], layout: ParityLayout, parity_files: int) -> list[range]:
    """Return the numbers of the blocks of each file, data files first."""
    data = BlockMap(sizes).starts
    parity = BlockMap([blocks * BLOCK_BYTES for blocks in shares(layout.parity_blocks, parity_files)]).starts
    before = layout.data_blocks
    ends = [*data, *(before + start for start in parity[1:])]
    return [range(begin, end) for begin, end in itertools.pairwise(ends)]


@pytest.mark.parametrize("percent", [1, 5, 10, 20, 50, 100])
@pytest.mark.parametrize(
    ("size", "part_bytes"), [(1, 1), (65_537, 65_536), (9 << 20, 1 << 20), (6 * GIB, FAT32), (21 * GIB + 5, GIB)]
)
def test_groups_are_as_large_as_may_be_and_have_at_least_so_much_parity(
    size: int, part_bytes: int, percent: int
) -> None:
    layout = parity_layout(_parts(size, part_bytes), percent)
    assert layout.data_rows + layout.parity_rows <= MAX_GROUP_BLOCKS
    assert layout.parity_blocks * 100 >= layout.data_blocks * percent
    rows = Counter(layout.group_of(number) for number in range(layout.data_blocks))
    assert set(rows.values()) <= {layout.data_rows - 1, layout.data_rows}
    assert len(rows) == layout.groups


def test_members_of_groups_are_all_blocks_once() -> None:
    layout = parity_layout(_parts(40 << 20, 7_000_000), 10)
    found = [(row, number) for group in range(layout.groups) for row, number in layout.members(group)]
    assert sorted(number for _, number in found) == list(range(layout.total))
    assert all(layout.row_of(number) == row for row, number in found)


def test_any_lost_files_up_to_the_percentage_less_a_block_per_group_and_file_can_be_mended() -> None:
    chance = random.Random(16)
    for _ in range(300):
        sizes = _parts(chance.randrange(1, 30 * 254 * BLOCK_BYTES), chance.randrange(BLOCK_BYTES, 40 * BLOCK_BYTES))
        percent = chance.randrange(1, 101)
        layout = parity_layout(sizes, percent)
        files = _blocks_of_files(sizes, layout, chance.randrange(1, 9))
        chance.shuffle(files)
        room = layout.data_blocks * percent / 100
        lost: list[int] = []
        for number, file in enumerate(files, 1):
            if len(lost) + len(file) + number * layout.groups <= room:
                lost += file
        assert _worst(layout, lost) <= layout.parity_rows


@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_bad_sectors_on_six_gigabytes_can_be_mended_at_ten_percent(seed: int) -> None:
    sizes = _parts(6_000_000_000, FAT32)
    layout = parity_layout(sizes, 10)
    chance = random.Random(seed)
    sectors = layout.total * BLOCK_BYTES // SECTOR
    bad = {chance.randrange(sectors) * SECTOR // BLOCK_BYTES for _ in range(1000)}
    assert _worst(layout, bad) <= layout.parity_rows


@pytest.mark.parametrize("lost", range(9))
def test_one_of_nine_small_parts_and_five_sectors_of_another_can_be_mended(lost: int) -> None:
    sizes = [1 << 20] * 9
    layout = parity_layout(sizes, 20)
    files = _blocks_of_files(sizes, layout, 2)
    other = files[(lost + 1) % 9]
    assert _worst(layout, [*files[lost], *other[:5]]) <= layout.parity_rows


def test_runs_go_on_in_the_next_file() -> None:
    blocks = BlockMap([BLOCK_BYTES + 1, BLOCK_BYTES, 5], 1000)
    assert blocks.total == 4
    assert [tuple(run) for run in blocks.runs(1, 9)] == [
        (0, 1000 + BLOCK_BYTES, 1, 1),
        (1, 1000, 1, BLOCK_BYTES),
        (2, 1000, 1, 5),
    ]
    assert list(blocks.runs(4, 2)) == []


def test_a_set_may_be_too_large() -> None:
    with pytest.raises(ValueError, match="at most"):
        parity_layout([200 * GIB], 10)
