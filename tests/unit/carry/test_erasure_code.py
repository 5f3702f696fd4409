"""The library's code is the one that docs/formats.md describes: computed here once more, by the book."""

from __future__ import annotations

import random

import pytest

from bundler.carry.erasure_code import ErasureCode

ROW = 64 * 1024


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = a << 1 ^ (0x11D if a & 0x80 else 0), b >> 1
    return product


INVERSE = {a: b for a in range(1, 256) for b in range(1, 256) if _times(a, b) == 1}


def _rows(data: bytes) -> list[bytes]:
    return [data[at : at + ROW] for at in range(0, len(data), ROW)]


def _parity_byte(column: bytes, row: int) -> int:
    value = 0
    for number, byte in enumerate(column):
        value ^= _times(byte, INVERSE[row ^ number])
    return value


@pytest.mark.parametrize(("data_rows", "parity_rows"), [(1, 1), (3, 2), (144, 29), (231, 24), (127, 128)])
def test_parity_is_a_cauchy_matrix_over_data(data_rows: int, parity_rows: int) -> None:
    data = random.Random(1).randbytes(ROW * data_rows)
    parity = ErasureCode(data_rows, parity_rows).parity(_rows(data))
    assert [len(row) for row in parity] == [ROW] * parity_rows
    for at in (0, 1, ROW - 1):
        column = data[at::ROW]
        assert [row[at] for row in parity[:3]] == [
            _parity_byte(column, data_rows + row) for row in range(min(3, parity_rows))
        ]


@pytest.mark.parametrize(("data_rows", "parity_rows"), [(1, 1), (3, 2), (144, 29), (231, 24)])
def test_any_rows_may_be_lost_as_long_as_enough_are_left(data_rows: int, parity_rows: int) -> None:
    chance = random.Random(data_rows)
    code = ErasureCode(data_rows, parity_rows)
    data = chance.randbytes(ROW * data_rows)
    rows = _rows(data) + code.parity(_rows(data))
    for _ in range(3):
        left = chance.sample(range(len(rows)), data_rows)
        assert code.data({number: rows[number] for number in left}) == data


def test_the_worked_example_of_the_formats_page() -> None:
    rows = [bytes([number]).ljust(ROW, b"\0") for number in (1, 2, 3, 4)]
    assert [row[0] for row in ErasureCode(4, 2).parity(rows)] == [0x48, 0x0F]
