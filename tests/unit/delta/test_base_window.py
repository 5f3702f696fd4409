"""A window that moves over contents holds what a slice of them would."""

from __future__ import annotations

import io
import mmap
import random
from pathlib import Path

import pytest

from bundler.delta.base_window import BaseWindow, UnreadableContentsError, contents_of, cut
from tests.unit.delta.contents import zlib_gzip

MIB = 1024 * 1024
KEPT_BYTES = 32 * MIB
BASE = random.Random(1).randbytes(MIB) * 90


@pytest.mark.parametrize(
    "ends",
    [
        (24 * MIB, 40 * MIB, 56 * MIB, 72 * MIB, 88 * MIB),
        (1, 2, 33 * MIB, 33 * MIB, 33 * MIB + 1),
        (85 * MIB,),
        (40 * MIB - 1, 80 * MIB + 1),
    ],
)
def test_it_holds_the_last_bytes_before_its_end(ends: tuple[int, ...]) -> None:
    window = BaseWindow(io.BytesIO(BASE), KEPT_BYTES)
    for end in ends:
        assert window.reach(end)
        start = max(0, end - KEPT_BYTES)
        assert (window.start, window.end) == (start, end)
        assert window.at_hand == BASE[start:end]
        assert window.last(1) == BASE[end - 1 : end]


def test_what_was_at_hand_stays_so_at_the_end() -> None:
    window = BaseWindow(io.BytesIO(BASE), KEPT_BYTES)
    assert not window.reach(len(BASE) + 1)
    assert not window.reach(len(BASE) + 500 * MIB)
    assert window.at_hand == BASE[-KEPT_BYTES:]


def test_a_small_base_takes_no_memory_for_a_large_window() -> None:
    before = _resident_bytes()
    window = BaseWindow(io.BytesIO(bytes(MIB)), KEPT_BYTES)
    pieces = cut(io.BytesIO(bytes(MIB)), KEPT_BYTES)
    assert window.reach(MIB)
    assert len(next(pieces)) == MIB
    assert _resident_bytes() - before < KEPT_BYTES // 2


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


def test_all_members_of_a_gzip_file_are_its_contents() -> None:
    file = io.BytesIO(zlib_gzip(b"one") + zlib_gzip(b"two"))
    assert [bytes(piece) for piece in cut(contents_of(file, "gzip"), 4)] == [b"onet", b"wo"]


@pytest.mark.parametrize("data", [b"", b"plain", zlib_gzip(b"one")[:-1], zlib_gzip(b"one") + b"behind", b"BZh91AY"])
def test_what_is_not_gzip_is_not_read_as_such(data: bytes) -> None:
    with pytest.raises(UnreadableContentsError):
        list(cut(contents_of(io.BytesIO(data), "gzip"), 100))
