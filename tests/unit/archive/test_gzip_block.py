from __future__ import annotations

import gzip
import hashlib
import random

import pytest

from bundler.archive.gzip_block import SAMPLE_BYTES, SAMPLES, gzip_member
from bundler.compress import ISAL_2, LIBDEFLATE_1, Deflater

RANDOM = random.Random(1).randbytes(200_000)
TEXT = b"apiVersion: apiextensions.k8s.io/v1\n" * 6000


def member(block: bytes | bytearray, deflater: Deflater = LIBDEFLATE_1) -> bytes:
    """Return the gzip member of a block in one piece."""
    return b"".join(gzip_member(memoryview(block), deflater))


@pytest.mark.parametrize("block", [RANDOM, TEXT, RANDOM[:65535], RANDOM[:65536], b"x", bytes(1 << 20)])
def test_a_member_unpacks_to_its_block(block: bytes) -> None:
    assert gzip.decompress(member(block)) == block


def test_what_does_not_compress_is_stored() -> None:
    assert RANDOM[:60_000] in member(RANDOM)


def test_what_compresses_is_compressed() -> None:
    assert len(member(TEXT)) < len(TEXT) // 20


def test_the_content_decides_whatever_came_before_it() -> None:
    half_and_half = RANDOM + TEXT
    assert len(member(half_and_half)) < len(half_and_half) * 0.6


def test_a_sample_that_deceives_costs_nothing_but_time() -> None:
    step = 200_000 // SAMPLES
    deceiving = bytearray(RANDOM)
    for start in range(0, step * SAMPLES, step):
        deceiving[start : start + SAMPLE_BYTES] = bytes(SAMPLE_BYTES)
    assert gzip.decompress(member(deceiving)) == deceiving


def test_the_header_names_no_date_no_system_no_file() -> None:
    assert member(TEXT)[:10] == member(RANDOM)[:10] == bytes.fromhex("1f8b08000000000000ff")


@pytest.mark.parametrize(
    ("deflater", "digest"),
    [
        (LIBDEFLATE_1, "4fe75ce43193d545e41969a123b5f844d8547d58f907e66c0f1d3086bc748531"),
        (ISAL_2, "e2767aaf5386c7e2703a99b3935edbef5be150f0f5a647eb90f83bdff36eb91e"),
    ],
)
def test_the_compressed_form_is_forever(deflater: Deflater, digest: str) -> None:
    if not deflater.reproduces():
        pytest.skip(f"{deflater.title} gives other bytes on this processor")
    assert hashlib.sha256(member(TEXT, deflater) + member(RANDOM, deflater)).hexdigest() == digest
