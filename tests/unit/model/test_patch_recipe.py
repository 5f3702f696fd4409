"""A recipe of a patch: what it holds comes back, and nothing out of its bounds is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.digest import MAX_SIZE, Blob, Digest
from bundler.model.patch_recipe import (
    MAX_FRAME_GROWTH_BYTES,
    MAX_HEADER_BYTES,
    MAX_INFLATION,
    MAX_WINDOW_BYTES,
    MIN_RESULT_BYTES,
    PatchRecipe,
    PatchWindow,
    Recompression,
    decode_recipe,
    encode_recipe,
)

MIB = 1024 * 1024
DIGEST = Digest.sha256(b"base")
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
PLAIN = PatchRecipe(
    DIGEST,
    "plain",
    Blob(Digest.sha256(b"patch"), 300),
    (
        PatchWindow(0, 24 * MIB, 16 * MIB, 100),
        PatchWindow(8 * MIB, 32 * MIB, 16 * MIB, 150),
        PatchWindow(9 * MIB, 31 * MIB, 5, 50),
    ),
)
RESULT_BYTES = 32 * MIB + 5
PACKED = replace(PLAIN, base_form="gzip", recompression=Recompression("zlib", HEADER, 6))


@pytest.mark.parametrize(("recipe", "size"), [(PLAIN, RESULT_BYTES), (PACKED, 9 * MIB)])
def test_a_recipe_comes_back(recipe: PatchRecipe, size: int) -> None:
    assert decode_recipe(json.loads(json.dumps(encode_recipe(recipe))), size) == recipe


def test_unknown_keys_are_passed_over() -> None:
    assert decode_recipe({**encode_recipe(PLAIN), "later": 1}, RESULT_BYTES) == PLAIN


def _with(**changes: Any) -> dict[str, Any]:
    value = {**json.loads(json.dumps(encode_recipe(PACKED))), **changes}
    return {key: part for key, part in value.items() if part is not ...}


def _gzip(**changes: Any) -> dict[str, Any]:
    return _with(gzip={**_with()["gzip"], **changes})


def _window(*row: Any) -> dict[str, Any]:
    return _with(windows=[list(row)], size=row[3] if len(row) > 3 else 1)


FAULTS: dict[str, Any] = {
    "no object": [],
    "nothing": None,
    "no base": _with(base=...),
    "a weak base": _with(base="sha1:" + "0" * 40),
    "a base that is a number": _with(base=1),
    "a long base": _with(base="sha512:" + "0" * 128),
    "another form": _with(base_form="xz"),
    "no patch": _with(digest=...),
    "a patch of another size": _with(size=301),
    "a negative patch": _with(size=-1),
    "no windows": _with(windows=[]),
    "windows that are text": _with(windows="none"),
    "windows that are a number": _with(windows=3),
    "a window of three": _window(0, 0, 5),
    "a window of five": _window(0, 0, 5, 5, 5),
    "a window of texts": _window("0", "0", "5", "5"),
    "a truth value": _window(False, 0, 5, 5),
    "a fraction": _window(0.5, 0, 5, 5),
    "a negative offset": _window(-1, 100, 5, 5),
    "a huge offset": _window(MAX_SIZE, 100, 5, 5),
    "a huge window of the base": _window(0, MAX_WINDOW_BYTES + 1, 5, 5),
    "a negative window of the base": _window(0, -1, 5, 5),
    "a prefix too short for zstd": _window(0, 7, 5, 5),
    "a huge window of the result": _window(0, 100, MAX_WINDOW_BYTES + 1, 5),
    "a window that gives nothing": _window(0, 100, 0, 5),
    "a negative window of the result": _window(0, 100, -5, 5),
    "a frame of nothing": _window(0, 100, 5, 0),
    "a frame that is much larger than what it gives": _window(0, 100, 5, 5 + MAX_FRAME_GROWTH_BYTES + 1),
    "many small windows": _with(windows=[[0, 100, MIN_RESULT_BYTES - 1, 5], [0, 100, 5, 5]], size=10),
    "backwards": _with(windows=[[8, 100, 2 * MIB, 5], [7, 101, 5, 5]], size=10),
    "an end that goes backwards": _with(windows=[[8, 100, 2 * MIB, 5], [9, 98, 5, 5]], size=10),
    "another re-compressor": _gzip(by="zlib-ng"),
    "no level": _gzip(level=None),
    "level 0, whose blocks depend on how it is fed": _gzip(level=0),
    "level 10": _gzip(level=10),
    "memory level 10": _gzip(memory_level=10),
    "strategy 5": _gzip(strategy=5),
    "a header of a megabyte": _gzip(header="1f" * MIB),
    "a header above the limit": _gzip(header="1f" * (MAX_HEADER_BYTES + 1)),
    "a short header": _gzip(header="1f8b08"),
    "a header that is not hex": _gzip(header="xx" * 12),
    "a header that is no text": _gzip(header=1),
    "a re-compression that is text": _with(gzip="zlib"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_out_of_bounds_is_refused(fault: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_recipe(FAULTS[fault], 9 * MIB)


def test_the_windows_have_to_fit_the_result() -> None:
    with pytest.raises(ValueError, match="do not become"):
        decode_recipe(encode_recipe(PLAIN), RESULT_BYTES + 1)
    with pytest.raises(ValueError, match="do not become"):
        decode_recipe(encode_recipe(PACKED), PACKED.content_bytes // MAX_INFLATION - 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(_with())), JSON)
def test_nothing_but_a_value_error_comes_of_foreign_json(key: str, value: Any) -> None:
    try:
        recipe = decode_recipe(_with(**{key: value}), 9 * MIB)
    except ValueError:
        return
    assert decode_recipe(encode_recipe(recipe), 9 * MIB) == recipe
