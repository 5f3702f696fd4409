"""The example of docs/formats.md is what is made, and it gives what the page says."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from bundler.delta.applying import patched_chunks
from bundler.delta.recompressors import recompressed
from bundler.delta.window_frame import compressed_window
from bundler.model.digest import Blob, Digest
from bundler.model.patch_recipe import (
    MAX_FRAME_GROWTH_BYTES,
    MAX_HEADER_BYTES,
    MAX_WINDOW_BYTES,
    MIN_RESULT_BYTES,
    PatchRecipe,
    PatchWindow,
    Recompression,
    decode_recipe,
    encode_recipe,
)
from tests.contract.checkout import ROOT

OLD, NEW = (f"image: kubeedge/cloudcore:v1.22.{number}\n".encode() for number in (0, 1))
PAGES = {"docs/formats.md": "## Patches", "docs/formats.zh-CN.md": "## 补丁"}


def _section(page: str) -> str:
    return (ROOT / page).read_text().partition(PAGES[page])[2].partition("\n## ")[0]


def _example(page: str) -> tuple[dict[str, Any], bytes, bytes]:
    recipe, both = re.findall(r"^```\w*\n(.*?)^```$", _section(page), re.MULTILINE | re.DOTALL)
    member, listed = map(bytes.fromhex, both.split())
    return json.loads(recipe), member, listed


@pytest.mark.parametrize("page", PAGES)
def test_the_example_gives_what_the_page_says(page: str) -> None:
    value, member, listed = _example(page)
    recipe = decode_recipe(value, len(listed))
    assert recipe.base == Digest.sha256(OLD)
    assert recipe.patch == Blob.of(member)
    assert f"@delta/{Digest.sha256(listed).hex}" in _section(page)
    assert b"".join(patched_chunks(recipe, io.BytesIO(OLD), iter([member]))) == listed


@pytest.mark.parametrize("page", PAGES)
def test_the_example_is_what_is_made(page: str) -> None:
    value, member, listed = _example(page)
    frame = compressed_window(memoryview(NEW), memoryview(OLD))
    recompression = Recompression("zlib", bytes.fromhex("1f8b0800000000000003"), 6)
    window = PatchWindow(0, len(OLD), len(NEW), len(frame))
    recipe = PatchRecipe(Digest.sha256(OLD), "plain", Blob.of(frame), (window,), recompression)
    assert encode_recipe(recipe) == value
    assert frame == member
    assert b"".join(recompressed([NEW], recompression)) == listed


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_the_bounds(page: str) -> None:
    section = _section(page)
    bounds = (MAX_WINDOW_BYTES, MIN_RESULT_BYTES, MAX_FRAME_GROWTH_BYTES, MAX_HEADER_BYTES)
    assert [bound for bound in bounds if f"{bound:,}" not in section] == []
