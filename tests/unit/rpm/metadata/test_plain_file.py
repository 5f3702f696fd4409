from __future__ import annotations

import gzip
import io
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.decompress import BLOCK_BYTES
from bundler.errors import ErrorId, SourceError
from bundler.python_package import installing
from bundler.rpm.metadata.plain_file import open_plain
from tests.compressions import COMPRESS, WITHOUT_ZSTD
from tests.work_count import executed_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLAIN = b"<metadata>" + random.Random(5).randbytes(150_000).hex().encode() + b"</metadata>"
every_compression = pytest.mark.parametrize("compress", COMPRESS.values(), ids=COMPRESS)


def plain(data: bytes, directory: Path, *, max_bytes: int = 10**9) -> bytes:
    with open_plain(io.BytesIO(data), directory=directory, where="u", max_bytes=max_bytes) as file:
        return file.read()


@every_compression
def test_plain_bytes_come_out(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    assert plain(compress(PLAIN), tmp_path) == PLAIN


@every_compression
def test_nothing_comes_out_of_nothing(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    assert plain(compress(b""), tmp_path) == b""


@every_compression
def test_members_follow_each_other_and_padding_is_let_pass(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    assert plain(compress(PLAIN) + compress(b"more") + b"\0" * 512, tmp_path) == PLAIN + b"more"


def test_many_small_members_take_steps_by_their_number_only(tmp_path: Path) -> None:
    def steps(members: int) -> int:
        data = gzip.compress(b"a", mtime=0) * members
        assert plain(data, tmp_path) == b"a" * members
        return executed_lines(lambda: plain(data, tmp_path))

    # eight times as many: by the square it would be sixty-four times
    assert steps(16_000) < 12 * steps(2_000)


@every_compression
def test_more_than_a_block_goes_both_ways(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    big = random.Random(6).randbytes(BLOCK_BYTES + BLOCK_BYTES // 2) + bytes(3 * BLOCK_BYTES)
    assert plain(compress(big) + compress(b"more"), tmp_path) == big + b"more"


@pytest.mark.parametrize("data", [b"", b"<", PLAIN, b"\x1f", bytes(BLOCK_BYTES + 1)])
def test_what_is_not_compressed_stays_what_it_is(data: bytes, tmp_path: Path) -> None:
    assert plain(data, tmp_path) == data


@every_compression
def test_cut_short_at_any_byte_is_an_error(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    whole = compress(b"<metadata packages='1'/>" * 20)
    for end in range(6, len(whole)):
        with pytest.raises(SourceError) as raised:
            plain(whole[:end], tmp_path)
        assert raised.value.id == ErrorId.REPO_METADATA_INVALID


@every_compression
def test_a_flipped_byte_ends_in_an_error_or_in_a_file_never_in_a_hang(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    whole = compress(PLAIN[:3000])
    refused = 0
    for at in range(6, len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        try:
            plain(bytes(damaged), tmp_path)
        except SourceError as error:
            refused += error.id == ErrorId.REPO_METADATA_INVALID
    assert refused > len(whole) // 2


@every_compression
def test_a_bomb_ends_at_the_limit(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="unpacks to more than 2000000 bytes"):
        plain(compress(bytes(50_000_000)), tmp_path, max_bytes=2_000_000)


@every_compression
def test_something_behind_the_end_is_an_error(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not belong"):
        plain(compress(PLAIN) + b"<html>", tmp_path)


def test_zchunk_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="zchunk"):
        plain(b"\0ZCK1" + bytes(100), tmp_path)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="zstd is part of Python 3.14")
def test_without_the_library_of_zstd_the_extra_is_named(tmp_path: Path) -> None:
    source = f"""{WITHOUT_ZSTD}
import io, pathlib
from bundler.errors import ToolMissingError
from bundler.rpm.metadata.plain_file import open_plain

try:
    open_plain(io.BytesIO(bytes.fromhex("28b52ffd")), directory=pathlib.Path(sys.argv[1]), where="u")
except ToolMissingError as error:
    print(error.what, error.remedy, sep="; ")
"""
    done = subprocess.run([sys.executable, "-c", source, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "backports.zstd is not installed; it is needed for repositories compressed with zstd; "
        f"Install {installing('backports.zstd')}.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_file_can_be_read_from_any_place_and_has_no_name(tmp_path: Path) -> None:
    with open_plain(io.BytesIO(gzip.compress(PLAIN)), directory=tmp_path, where="u") as file:
        assert list(tmp_path.iterdir()) == []
        assert file.seek(0, 2) == len(PLAIN)
        assert file.seek(5) == 5
        assert file.read(3) == PLAIN[5:8]
        assert file.fileno() >= 0
