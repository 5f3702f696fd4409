from __future__ import annotations

import gzip
import random
import zlib
from dataclasses import replace

import pytest

from bundler.compress import DEFLATER, DEFLATERS, GZIP_HEADER, LIBDEFLATE_1, Deflater, crc32, gzip_trailer
from bundler.errors import ErrorId, ToolMissingError

BLOCK = b"apiVersion: v1\n" * 3000 + random.Random(5).randbytes(20_000)


@pytest.mark.parametrize("deflater", DEFLATERS.values(), ids=lambda deflater: deflater.title)
def test_what_is_deflated_is_read_by_zlib(deflater: Deflater) -> None:
    assert zlib.decompress(deflater.deflate(BLOCK), -15) == BLOCK
    assert gzip.decompress(GZIP_HEADER + deflater.deflate(memoryview(BLOCK)) + gzip_trailer(BLOCK)) == BLOCK


def test_new_archives_are_made_with_a_deflater_that_has_a_name() -> None:
    assert DEFLATERS[DEFLATER.name] is DEFLATER
    assert DEFLATER.name


def test_the_deflater_of_new_archives_gives_the_known_answer() -> None:
    assert DEFLATER.reproduces()


def test_a_library_that_gives_other_bytes_is_found_before_anything_is_written() -> None:
    other = replace(LIBDEFLATE_1, deflate=lambda block: zlib.compress(block, 1, -15))
    assert not other.reproduces()
    with pytest.raises(ToolMissingError) as caught:
        other.require("writing archives")
    assert caught.value.id is ErrorId.TOOL_MISSING
    assert "libdeflate" in str(caught.value)


def test_checksums_continue_where_others_ended() -> None:
    assert crc32(BLOCK[100:], crc32(BLOCK[:100])) == zlib.crc32(BLOCK)
