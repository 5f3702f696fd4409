"""Archives compressed with zstd: whole, of many frames, damaged, and made to exhaust whoever reads them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId
from bundler.upstream_archive.stream import MemberLimits
from tests.compressions import skippable_frame, zstd_frame, zstd_window
from tests.unit.upstream_archive.archives import FILES, KEADM, refused, take, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable

TAR = tar_of(FILES)
BOMB = tar_of({"a": b"a", "zeros": bytes(4 << 20)})


def frames(data: bytes, size: int) -> list[bytes]:
    """Return one frame for every so many bytes."""
    return [zstd_frame(data[start : start + size]) for start in range(0, len(data), size)]


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(b"".join(frames(TAR, 5000)), id="many frames"),
        pytest.param(zstd_frame(b"") + zstd_frame(TAR) + zstd_frame(b""), id="empty frames"),
        pytest.param(b"".join(skippable_frame(b"size") + frame for frame in frames(TAR, 9999)), id="as pzstd writes"),
        pytest.param(b"".join(frames(TAR, 9999)) + skippable_frame(bytes(99), 14), id="a seek table at the end"),
        pytest.param(skippable_frame(bytes(600)) + zstd_frame(TAR), id="skippable beyond the head"),
        pytest.param(zstd_frame(TAR) + bytes(1024), id="padding"),
        pytest.param(zstd_window(TAR, 27), id="a window as large as it may be"),
    ],
)
def test_it_is_read_however_it_was_made(archive: bytes) -> None:
    assert take(archive, "./") == FILES


@pytest.mark.parametrize(
    "cut", [lambda whole: whole[:-1], lambda whole: whole[: len(whole) // 2], lambda whole: whole[:20]]
)
@pytest.mark.parametrize("wish", [KEADM, "keadm-v1.11.1-linux-amd64/version"])
def test_cut_short_it_is_not_taken_for_whole(cut: Callable[[bytes], bytes], wish: str) -> None:
    archive = cut(b"".join(frames(TAR, 100_000)))
    error = refused(archive, wish)
    assert error.id == ErrorId.SOURCE_INVALID
    assert "cut short" in error.what


def test_a_frame_that_is_missing_at_the_end_is_missed() -> None:
    archive = b"".join(frames(TAR, 100_000)[:-1])
    assert "cut short" in refused(archive, KEADM).what


@pytest.mark.parametrize("place", [-1, -4, 8, 100])
def test_a_damaged_byte_is_found(place: int) -> None:
    damaged = bytearray(zstd_frame(tar_of({"noise": random.Random(1).randbytes(50_000)})))
    damaged[place] ^= 0x10
    assert refused(bytes(damaged), "noise").id == ErrorId.SOURCE_INVALID


def test_something_else_behind_it_is_refused() -> None:
    error = refused(zstd_frame(TAR) + b"evil", KEADM)
    assert error.what == "holds something else after its zstd data"


@pytest.mark.parametrize("wish", ["zeros", "a"])
def test_a_bomb_is_refused_whether_it_is_wanted_or_not(wish: str) -> None:
    error = refused(zstd_frame(BOMB), wish, limits=MemberLimits(ratio=100, free_bytes=1 << 20))
    assert error.id == ErrorId.SOURCE_ARCHIVE_UNSAFE
    assert "bomb" in error.what


@pytest.mark.parametrize("log", [28, 31, 41])
def test_a_window_beyond_the_limit_is_refused(log: int) -> None:
    error = refused(zstd_window(TAR, log), KEADM)
    assert error.id == ErrorId.SOURCE_INVALID
    assert "too much memory" in error.what


def test_frames_that_hold_nothing_are_no_archive() -> None:
    for archive in (skippable_frame(b"nothing"), zstd_frame(b"")):
        assert "it is zstd data that holds no tar archive" in refused(archive, "x").what
