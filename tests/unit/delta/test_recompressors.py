"""What compresses a second time gives the same bytes: as real programs do, in whatever pieces it is fed."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.delta.gzip_member import gzip_header
from bundler.delta.pigz_blocks import BLOCK_BYTES
from bundler.delta.recompressor_search import recompression_of
from bundler.delta.recompressors import candidates, is_reproducing, recompressed
from bundler.model.patch_recipe import MAX_HEADER_BYTES, Recompression
from tests.unit.delta.contents import pieces, words, zlib_gzip

if TYPE_CHECKING:
    from pathlib import Path

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
TEXT = words(400_000)


def test_this_machine_gives_the_bytes_of_the_list() -> None:
    assert {known.name for known in candidates(HEADER) if is_reproducing(known.name)} == {"gzip", "pigz", "zlib"}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_pieces_change_no_byte(data: st.DataObject) -> None:
    known = data.draw(st.sampled_from([known for known in candidates(HEADER) if known.name != "gzip"]))
    size = data.draw(st.integers(0, 3 * BLOCK_BYTES))
    step = data.draw(st.integers(1000, 200_000))
    contents = TEXT[:size]
    whole = b"".join(recompressed([contents], known))
    assert b"".join(recompressed(pieces(contents, step), known)) == whole
    assert gzip.decompress(whole) == contents


def _search(directory: Path, packed: bytes) -> Recompression | None:
    path = directory / "packed"
    path.write_bytes(packed)
    return recompression_of(path)


def _found(directory: Path, packed: bytes) -> str:
    """Return what makes these bytes again; two levels may give the same."""
    found = _search(directory, packed)
    assert found is not None
    assert b"".join(recompressed(pieces(gzip.decompress(packed)), found)) == packed
    return found.name


@pytest.mark.parametrize("level", [1, 6, 9])
@pytest.mark.parametrize("memory_level", [8, 9])
def test_what_zlib_makes_is_made_again(tmp_path: Path, level: int, memory_level: int) -> None:
    assert _found(tmp_path, zlib_gzip(TEXT, level, memory_level)) in ("zlib", "gzip")


@pytest.mark.parametrize("mode", ["w:gz", "w|gz"])
def test_what_tarfile_makes_is_made_again(tmp_path: Path, mode: str) -> None:
    out = io.BytesIO()
    with tarfile.open("layer.tar.gz", mode, out) as archive:  # type: ignore[call-overload] # takes either
        member = tarfile.TarInfo("usr/bin/program")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT))
    assert _found(tmp_path, out.getvalue()) == "zlib"


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"", id="empty"),
        pytest.param(TEXT, id="plain"),
        pytest.param(zlib_gzip(TEXT) + zlib_gzip(TEXT), id="two members"),
        pytest.param(zlib_gzip(TEXT) + b"\0", id="something behind"),
        pytest.param(zlib_gzip(TEXT)[:-1], id="without its last byte"),
        pytest.param(zlib_gzip(TEXT)[:-8] + bytes(8), id="another trailer"),
        pytest.param(zlib_gzip(TEXT)[:100_000], id="cut short"),
        pytest.param(zlib_gzip(TEXT)[:30] + b"\xff" * 50, id="damaged"),
        pytest.param(HEADER, id="a header alone"),
        pytest.param(zlib_gzip(TEXT, 0), id="stored blocks"),
    ],
)
def test_what_is_not_the_work_of_the_list_is_left(tmp_path: Path, packed: bytes) -> None:
    assert _search(tmp_path, packed) is None


def test_noise_is_made_again_too(tmp_path: Path) -> None:
    assert _found(tmp_path, zlib_gzip(random.Random(1).randbytes(300_000)))


@pytest.mark.parametrize(
    ("flags", "rest", "length"),
    [
        (0, b"", 10),
        (0x04, b"\x03\x00abc", 15),
        (0x08, b"name\0", 15),
        (0x10, b"comment\0", 18),
        (0x1E, b"\x01\x00xname\0comment\0\xab\xcd", 28),
        (0x1F, b"\x01\x00xname\0comment\0\xab\xcd", 28),
        (0x08, b"no end", None),
        (0x02, b"", None),
        (0x04, b"\xff", None),
        (0x04, b"\xff\xff", None),
        (0x20, b"reserved", None),
        (0x08, b"n" * MAX_HEADER_BYTES + b"\0", None),
    ],
)
def test_where_a_header_ends(flags: int, rest: bytes, length: int | None) -> None:
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + rest
    assert gzip_header(head) == (None if length is None else head[:length])
