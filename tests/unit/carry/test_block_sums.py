"""The rows in which sums of blocks are written down, as docs/formats.md has them; what a bad sector leaves of them."""

from __future__ import annotations

import hashlib

import pytest

from bundler.carry.block_sums import ROW_SUMS, BlockSums
from tests.contract.checkout import ROOT

BLOCK_BYTES = 65_536


def _sums(*blocks: bytes) -> BlockSums:
    sums = BlockSums(len(blocks))
    for number, block in enumerate(blocks):
        sums[number] = hashlib.sha256(block).digest()
    return sums


@pytest.mark.parametrize("page", ["docs/formats.md", "docs/formats.zh-CN.md"])
def test_the_row_of_the_page_is_what_is_written(page: str) -> None:
    (row,) = _sums(b"abc", b"abc".ljust(BLOCK_BYTES, b"\0")).rows()
    assert f"```\n{row}\n```" in (ROOT / page).read_text()


def test_a_row_that_was_hit_takes_no_other_with_it() -> None:
    blocks = [bytes([number]) for number in range(2 * ROW_SUMS + 1)]
    rows = [*_sums(*blocks).rows()]
    assert [len(row.split(" ")[1]) // 64 for row in rows] == [ROW_SUMS, ROW_SUMS, 1]
    rows[1] = rows[1].replace("0", "1", 9)
    read = BlockSums(len(blocks))
    assert read.take_rows("".join(f'"{row}",' for row in rows).encode()) == 2
    known = [number for number in range(len(blocks)) if read[number] is not None]
    assert known == [*range(ROW_SUMS), 2 * ROW_SUMS]
    assert read[0] == hashlib.sha256(blocks[0]).digest()
