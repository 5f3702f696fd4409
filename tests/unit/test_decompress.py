from __future__ import annotations

import errno
import gzip
import io
import lzma
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.decompress import BLOCK_BYTES, LONGEST_MAGIC, CompressedDataError, PlainReader, compression_of
from bundler.errors import ErrorId, StorageError
from bundler.python_package import installing
from tests.compressions import COMPRESS, WITHOUT_ZSTD, skippable_frame, xz_dictionary, zstd_frame, zstd_window

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = b"plain bytes, " * 3000 + random.Random(5).randbytes(100_000)
every_form = pytest.mark.parametrize("compress", COMPRESS.values(), ids=COMPRESS)


def reader(data: bytes) -> PlainReader:
    source = io.BytesIO(data)
    return PlainReader(source, source.read(LONGEST_MAGIC), where="u", compressed="archives")


def plain(data: bytes, count: int = BLOCK_BYTES) -> bytes:
    opened, parts = reader(data), []
    while part := opened.read(count):
        assert len(part) <= count
        parts.append(part)
    assert opened.read(count) == b""
    assert opened.packed_bytes == len(data)
    return b"".join(parts)


def refused(data: bytes) -> CompressedDataError:
    with pytest.raises(CompressedDataError) as caught:
        plain(data)
    return caught.value


@pytest.mark.parametrize("name", COMPRESS)
def test_a_form_is_known_by_its_first_bytes(name: str) -> None:
    found = compression_of(COMPRESS[name](b"x"))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("data", [b"", b"\x1f", b"BZ", b"<metadata>", PLAIN, bytes(BLOCK_BYTES + 1)])
def test_what_is_not_compressed_stays_what_it_is(data: bytes) -> None:
    assert compression_of(data) is None
    assert plain(data) == data
    assert plain(data, 1000) == data


@every_form
@pytest.mark.parametrize("count", [1, 2, 3, 700, 2**20])
def test_the_same_bytes_come_out_in_pieces_of_any_size(compress: Callable[[bytes], bytes], count: int) -> None:
    short = PLAIN[38_000:43_000]
    assert plain(compress(short) + compress(b"") + compress(b"x"), count) == short + b"x"


@every_form
@pytest.mark.parametrize("padding", [0, 1, 4, BLOCK_BYTES, 3 * BLOCK_BYTES + 5])
def test_streams_follow_each_other_and_zeros_between_them_are_passed_over(
    compress: Callable[[bytes], bytes], padding: int
) -> None:
    assert plain((compress(PLAIN) + bytes(padding)) * 3) == PLAIN * 3


@every_form
def test_no_more_than_a_block_is_read_ahead_of_what_comes_out(compress: Callable[[bytes], bytes]) -> None:
    # each of many small streams is followed by no more than this, which is copied once for each
    one = compress(b"a")
    opened = reader(one * 20_000)
    for number in range(1, 20_001):
        assert opened.read(BLOCK_BYTES) == b"a"
        assert opened.packed_bytes <= number * len(one) + BLOCK_BYTES + LONGEST_MAGIC


@every_form
def test_cut_short_at_any_byte_is_told(compress: Callable[[bytes], bytes]) -> None:
    whole = compress(b"plain" * 20)
    for end in range(LONGEST_MAGIC, len(whole)):
        assert refused(whole[:end]).flaw == "cut short"
        assert refused(whole + whole[:end]).flaw == "cut short"


@every_form
def test_a_flipped_byte_ends_in_an_error_or_in_other_bytes_never_in_a_hang(compress: Callable[[bytes], bytes]) -> None:
    whole = compress(PLAIN[38_000:42_000])
    flaws: list[str] = []
    for at in range(LONGEST_MAGIC, len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        try:
            plain(bytes(damaged))
        except CompressedDataError as error:
            flaws.append(error.flaw)
    assert len(flaws) > len(whole) // 2
    assert set(flaws) <= {"damaged", "cut short", "followed"}


@every_form
@pytest.mark.parametrize("rest", [b"<html>", b"x", b"\0\0evil", b"PK\x03\x04"])
def test_something_else_behind_the_end_is_told(compress: Callable[[bytes], bytes], rest: bytes) -> None:
    error = refused(compress(PLAIN) + rest)
    assert error.flaw == "followed"
    assert error.compression == compression_of(compress(b""))


def test_another_form_behind_the_end_is_something_else() -> None:
    assert refused(gzip.compress(PLAIN) + lzma.compress(PLAIN)).flaw == "followed"


def test_skippable_frames_are_skipped_wherever_they_stand() -> None:
    made = [skippable_frame(b"", number) for number in range(16)]
    big = skippable_frame(bytes(3 * BLOCK_BYTES), 15)
    assert plain(b"".join(made) + zstd_frame(PLAIN) + big + zstd_frame(b"more") + made[3]) == PLAIN + b"more"
    assert plain(big) == b""
    assert refused(zstd_frame(PLAIN) + big[:-1]).flaw == "cut short"


def test_a_window_of_zstd_may_be_as_large_as_level_22_makes_it_and_no_larger() -> None:
    assert plain(zstd_window(PLAIN, 27)) == PLAIN
    for log in (28, 31, 41):
        error = refused(zstd_window(PLAIN, log))
        assert "memory" in error.detail


def test_a_dictionary_of_xz_has_its_limit() -> None:
    assert "Memory" in refused(xz_dictionary(PLAIN)).detail


@every_form
def test_a_bomb_comes_out_no_faster_than_it_is_read(compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(bytes(20_000_000))
    opened = reader(bomb)
    assert opened.read(1000) == bytes(1000)
    assert opened.packed_bytes <= LONGEST_MAGIC + BLOCK_BYTES


def test_a_disk_that_fails_is_the_disk_s_fault() -> None:
    class Failing(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, f"no {count} bytes")

    opened = PlainReader(Failing(), gzip.compress(PLAIN)[:100], where="u", compressed="archives")
    with pytest.raises(StorageError) as caught:
        list(iter(lambda: opened.read(1000), b""))
    assert caught.value.id == ErrorId.STORAGE_UNUSABLE


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="zstd is part of Python 3.14")
def test_without_the_library_of_zstd_the_others_are_read_and_the_extra_is_named() -> None:
    source = f"""{WITHOUT_ZSTD}
import gzip, io
from bundler.decompress import PlainReader
from bundler.errors import ToolMissingError

print(PlainReader(io.BytesIO(), gzip.compress(b"read"), where="u", compressed="archives").read(99))
try:
    PlainReader(io.BytesIO(), bytes.fromhex("28b52ffd"), where="u", compressed="archives")
except ToolMissingError as error:
    print(error.what, error.remedy, error.exit_code, sep="; ")
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    read, missing = done.stdout.splitlines()
    assert read == "b'read'"
    assert missing == (
        "backports.zstd is not installed; it is needed for archives compressed with zstd; "
        f"Install {installing('backports.zstd')}.; 10"
    )
