"""What is applied may lie: the result is the right one or an error, and never more than the recipe says."""

from __future__ import annotations

import io
import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from bundler.delta.applying import patched_chunks
from bundler.delta.making import make_patch
from bundler.delta.window_frame import DamagedPatchError
from bundler.model.digest import Blob, Digest
from bundler.model.patch_recipe import PatchRecipe, PatchWindow
from tests.compressions import zstd_frame, zstd_window
from tests.unit.delta.contents import changed, pieces, words, zlib_gzip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIB = 1024 * 1024
OLD = words(300_000)
NEW = changed(OLD)


def _made(directory: Path, form: Callable[[bytes], bytes]) -> tuple[PatchRecipe, bytes]:
    for name, data in (("old", OLD), ("new", NEW)):
        (directory / name).write_bytes(form(data))
    out = io.BytesIO()
    recipe = make_patch(directory / "old", directory / "new", out)
    assert recipe is not None
    return recipe, out.getvalue()


def _result(recipe: PatchRecipe, old: bytes, frames: Iterator[bytes]) -> bytes:
    return b"".join(patched_chunks(recipe, io.BytesIO(old), frames))


@pytest.mark.parametrize("size", [1, 7, 5000, 1 << 20])
def test_the_pieces_of_a_patch_may_have_any_size(tmp_path: Path, size: int) -> None:
    recipe, frames = _made(tmp_path, zlib_gzip)
    result = _result(recipe, (tmp_path / "old").read_bytes(), iter([b"", *pieces(frames, size), b"", b"what follows"]))
    assert result == (tmp_path / "new").read_bytes()


@pytest.mark.parametrize(
    "base",
    [
        pytest.param(b"", id="empty"),
        pytest.param(zlib_gzip(OLD)[:100_000], id="cut short"),
        pytest.param(zlib_gzip(OLD[:200_000]), id="too little in it"),
        pytest.param(zlib_gzip(words(300_000, 9)), id="other contents"),
        pytest.param(OLD, id="another form"),
        pytest.param(zlib_gzip(OLD)[:5000] + b"\xff" * 500 + zlib_gzip(OLD)[5500:], id="damaged"),
    ],
)
def test_another_base_is_found(tmp_path: Path, base: bytes) -> None:
    recipe, frames = _made(tmp_path, zlib_gzip)
    with pytest.raises(DamagedPatchError):
        _result(recipe, base, pieces(frames))


@pytest.mark.parametrize("seed", range(20))
def test_a_changed_byte_of_a_patch_is_found(tmp_path: Path, seed: int) -> None:
    recipe, frames = _made(tmp_path, lambda data: data)
    chance = random.Random(seed)
    at = chance.randrange(len(frames))
    bad = frames[:at] + bytes([frames[at] ^ 1 << chance.randrange(8)]) + frames[at + 1 :]
    # where a bit of a frame's header makes no difference the result is the right one
    try:
        assert _result(recipe, OLD, pieces(bad)) == NEW
    except DamagedPatchError:
        return


@pytest.mark.parametrize("left", [0, 1, 3, 100, -1])
def test_a_patch_that_is_cut_short_is_found(tmp_path: Path, left: int) -> None:
    recipe, frames = _made(tmp_path, lambda data: data)
    with pytest.raises(DamagedPatchError, match="cut short"):
        _result(recipe, OLD, pieces(frames[:left]))


def _recipe(frame: bytes, result_bytes: int, base_bytes: int = 0) -> PatchRecipe:
    window = PatchWindow(0, base_bytes, result_bytes, len(frame))
    return PatchRecipe(Digest.sha256(b""), "plain", Blob(Digest.sha256(frame), len(frame)), (window,))


def _of_a_terabyte() -> bytes:
    """Return a frame of zeros: blocks of one byte, repeated 128 Ki times each (RFC 8878, 3.1.1.2.2)."""
    rle = (128 * 1024 << 3 | 0b010).to_bytes(3, "little") + b"\0"
    # magic; a content size of 8 bytes, no single segment; a window of 16 MiB
    return b"\x28\xb5\x2f\xfd" + bytes([0b1100_0000, 14 << 3]) + (1 << 40).to_bytes(8, "little") + rle * 8000


def test_a_patch_that_decompresses_to_a_terabyte_stops_at_its_bound() -> None:
    frame = _of_a_terabyte()
    got: list[int] = []
    tracemalloc.start()
    with pytest.raises(DamagedPatchError, match="more than its recipe says"):
        got.extend(map(len, patched_chunks(_recipe(frame, MIB), io.BytesIO(), iter([frame]))))
    assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    tracemalloc.stop()
    assert sum(got) <= MIB


def test_a_frame_may_not_ask_for_more_memory_than_a_window() -> None:
    content = random.Random(1).randbytes(3000)
    frame = zstd_window(content, 27)
    with pytest.raises(DamagedPatchError):
        _result(_recipe(frame, len(content)), b"", iter([frame]))


@pytest.mark.parametrize("result_bytes", [2999, 3001])
def test_a_frame_that_gives_another_number_of_bytes_is_damaged(result_bytes: int) -> None:
    frame = zstd_frame(bytes(3000))
    with pytest.raises(DamagedPatchError):
        _result(_recipe(frame, result_bytes), b"", iter([frame]))


def test_two_frames_in_one_window_are_damaged() -> None:
    frame = zstd_frame(bytes(1500)) * 2
    with pytest.raises(DamagedPatchError):
        _result(_recipe(frame, 3000), b"", iter([frame]))


def test_a_base_that_ends_before_its_window_is_too_short() -> None:
    frame = zstd_frame(bytes(100))
    with pytest.raises(DamagedPatchError, match="too short"):
        _result(_recipe(frame, 100, base_bytes=50), bytes(49), iter([frame]))
