"""Patches that are made and applied: the bytes come back, and what is not worth it is left."""

from __future__ import annotations

import io
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.delta.making import RESULT_WINDOW_BYTES, make_patch
from bundler.delta.recompressors import recompressed
from bundler.model.digest import Digest
from bundler.model.json_value import dump_canonical
from bundler.model.patch_recipe import Recompression, decode_recipe, encode_recipe
from tests.unit.delta.contents import applied, changed, program_gzip, words, zlib_gzip
from tests.work_count import called_functions

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = words(700_000)
NEW = changed(OLD)
HEADER = bytes.fromhex("1f8b0800000000000003")
NOISE = random.Random(4).randbytes(700_000)


def _files(directory: Path, old: bytes, new: bytes) -> tuple[Path, Path]:
    paths = directory / "old", directory / "new"
    for path, data in zip(paths, (old, new), strict=True):
        path.write_bytes(data)
    return paths


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "zlib 1": lambda data: zlib_gzip(data, 1),
    "zlib 6": zlib_gzip,
    "zlib 9, memory level 9": lambda data: zlib_gzip(data, 9, 9),
    "pigz": lambda data: b"".join(recompressed([data], Recompression("pigz", HEADER, 6))),
    "gzip": lambda data: program_gzip(data, "gzip"),
    "gzip -1": lambda data: program_gzip(data, "gzip", "-1"),
}


@pytest.mark.parametrize("old_form", ["plain", "zlib 6", "gzip -1"])
@pytest.mark.parametrize("new_form", FORMS)
def test_the_result_comes_back(tmp_path: Path, old_form: str, new_form: str) -> None:
    old, new = _files(tmp_path, FORMS[old_form](OLD), FORMS[new_form](NEW))
    patch = io.BytesIO()
    recipe = make_patch(old, new, patch)
    assert recipe is not None
    assert recipe.base == Digest.sha256(old.read_bytes())
    assert recipe.patch.digest == Digest.sha256(patch.getvalue())
    assert recipe.patch.size == len(patch.getvalue()) < 0.15 * new.stat().st_size
    assert decode_recipe(encode_recipe(recipe), new.stat().st_size) == recipe
    assert applied(recipe, old, patch) == new.read_bytes()


def test_what_is_alike_behind_something_new_is_found(tmp_path: Path) -> None:
    new = zlib_gzip(NOISE[:100_000] + OLD)
    paths = _files(tmp_path, zlib_gzip(OLD), new)
    patch = io.BytesIO()
    recipe = make_patch(*paths, patch)
    assert recipe is not None
    assert applied(recipe, paths[0], patch) == new


def test_what_has_nothing_of_the_base_is_left_before_it_is_compressed_again(tmp_path: Path) -> None:
    # as a tar archive ends: what is the same in all of them
    old, new = OLD + bytes(10240), NOISE + bytes((1 << 20) - len(NOISE)) + bytes(10240)
    paths, patch = _files(tmp_path, zlib_gzip(old), zlib_gzip(new)), io.BytesIO()
    with called_functions() as called:
        assert make_patch(*paths, patch) is None
    assert called.isdisjoint({"recompression_of", "compressed_window"})
    assert "may_have" in called
    assert patch.getvalue() == b""


EDITS = st.lists(
    st.tuples(st.integers(0, len(OLD)), st.integers(0, 200_000), st.integers(0, len(OLD)), st.integers(0, 200_000)),
    max_size=6,
)


@given(EDITS, st.sampled_from(sorted(FORMS)))
@settings(max_examples=10, deadline=None)
def test_whatever_was_changed_comes_back(edits: list[tuple[int, int, int, int]], form: str) -> None:
    contents = bytearray(OLD)
    for at, gone, other, length in edits:
        contents[at : at + gone] = OLD[other : other + length]
    with tempfile.TemporaryDirectory() as name:
        old, new = _files(Path(name), zlib_gzip(OLD), FORMS[form](bytes(contents)))
        patch = io.BytesIO()
        recipe = make_patch(old, new, patch)
        assert recipe is None or applied(recipe, old, patch) == new.read_bytes()


def test_the_same_files_give_the_same_patch(tmp_path: Path) -> None:
    old, new = _files(tmp_path, zlib_gzip(OLD), zlib_gzip(NEW))
    patches = io.BytesIO(), io.BytesIO()
    first, second = (make_patch(old, new, patch) for patch in patches)
    assert first is not None
    assert second is not None
    assert dump_canonical(encode_recipe(first)) == dump_canonical(encode_recipe(second))
    assert patches[0].getvalue() == patches[1].getvalue()


def test_of_what_cannot_be_compressed_again_the_beginning_may_be_shared(tmp_path: Path) -> None:
    at = len(OLD) * 3 // 4
    old, new = _files(tmp_path, zlib_gzip(OLD, memory_level=1), zlib_gzip(OLD[:at] + NOISE[at:], memory_level=1))
    patch = io.BytesIO()
    recipe = make_patch(old, new, patch)
    assert recipe is not None
    assert (recipe.base_form, recipe.recompression) == ("plain", None)
    assert recipe.patch.size < new.stat().st_size / 2
    assert applied(recipe, old, patch) == new.read_bytes()


def _noise(mib: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(mib * MIB)


MIB = 1024 * 1024
HALF = 12 * MIB
# a place where something is gone may cost half a window
MOVES: dict[str, tuple[Callable[[bytes], bytes], float]] = {
    "a large file before the others": (lambda old: _noise(14, 7) + old, 14),
    "a large file among the others": (lambda old: old[:HALF] + _noise(14, 7) + old[HALF:], 14),
    "a large file less": (lambda old: old[: HALF // 4] + old[-HALF // 2 :], RESULT_WINDOW_BYTES / 2 / MIB),
    "a large file instead of another": (lambda old: old[: HALF // 2] + _noise(12, 7) + old[-HALF // 2 :], 12),
    "little by little": (lambda old: b"".join(old[at : at + HALF // 6] for at in range(0, len(old), HALF // 4)), 0),
}


@pytest.mark.parametrize("move", MOVES)
def test_windows_follow_what_has_moved(tmp_path: Path, move: str) -> None:
    moved, new_mib = MOVES[move]
    contents = _noise(24, 5)
    old, new = _files(tmp_path, contents, moved(contents))
    patch = io.BytesIO()
    recipe = make_patch(old, new, patch)
    assert recipe is not None
    assert recipe.patch.size < (new_mib + 0.5) * MIB
    assert applied(recipe, old, patch) == new.read_bytes()


def test_what_the_base_has_in_several_places_is_looked_for_where_it_was(tmp_path: Path) -> None:
    # more than a window, so that the result does not have it before itself
    contents = _noise(10, 5) * 2
    old, new = _files(tmp_path, contents, contents[:1000] + b"mended" + contents[1000:])
    patch = io.BytesIO()
    recipe = make_patch(old, new, patch)
    assert recipe is not None
    assert recipe.patch.size < MIB / 2
    assert applied(recipe, old, patch) == new.read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(OLD, OLD[:60_000], id="small"),
        pytest.param(OLD, NOISE, id="nothing in common"),
        pytest.param(zlib_gzip(OLD)[:-5000], zlib_gzip(NEW), id="a base that is cut short"),
        pytest.param(b"", NOISE, id="an empty base"),
    ],
)
def test_what_is_not_worth_it_has_no_patch(tmp_path: Path, old: bytes, new: bytes) -> None:
    assert make_patch(*_files(tmp_path, old, new), io.BytesIO()) is None
