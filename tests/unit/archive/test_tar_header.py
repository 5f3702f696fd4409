from __future__ import annotations

import io
import tarfile

import pytest

from bundler.archive.tar_header import BLOCK_BYTES, decode_header, encode_header


def _read(header: bytes) -> tarfile.TarInfo:
    with tarfile.open(fileobj=io.BytesIO(header + bytes(1024)), mode="r:") as archive:
        found = archive.next()
    assert found is not None
    return found


def test_a_header_says_what_was_given() -> None:
    info = _read(encode_header(b"yum/a.rpm", size=0, mode=0o755, mtime=1_600_000_000))
    assert (info.name, info.size, info.mode, info.mtime) == ("yum/a.rpm", 0, 0o755, 1_600_000_000)
    assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, "root", "root")
    assert info.isreg()
    assert not info.pax_headers


def test_a_directory_has_a_trailing_slash() -> None:
    header = encode_header(b"yum", size=0, mode=0o755, mtime=0, directory=True)
    assert header.startswith(b"yum/\0")
    assert _read(header).isdir()


@pytest.mark.parametrize("size", [8**11 - 1, 8**11, 9 * 2**30, 2**62])
def test_sizes_beyond_the_octal_field_are_base_256(size: int) -> None:
    header = encode_header(b"big", size=size, mode=0o644, mtime=0)
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == size
    assert decode_header(header).size == size


@pytest.mark.parametrize("length", [99, 100, 101, 511, 512, 513, 1024])
def test_names_of_any_length_are_read_whole(length: int) -> None:
    path = ("d" * 60 + "/") * 20
    path = path[: length - 1] + "f"
    header = encode_header(path.encode(), size=0, mode=0o644, mtime=5)
    assert len(header) % BLOCK_BYTES == 0
    assert len(header) == BLOCK_BYTES or length > 100
    assert _read(header).name == path


def test_a_header_with_a_wrong_checksum_is_refused() -> None:
    header = bytearray(encode_header(b"a", size=1, mode=0o644, mtime=0))
    header[124] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        decode_header(bytes(header))


def test_a_number_that_is_none_is_refused() -> None:
    info = tarfile.TarInfo("a")
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"-0000000001\0"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(ValueError, match="not a number"):
        decode_header(bytes(block))


def test_the_ustar_prefix_belongs_to_the_name() -> None:
    info = tarfile.TarInfo("d" * 90 + "/" + "f" * 90)
    assert decode_header(info.tobuf(tarfile.USTAR_FORMAT)).name == info.name.encode()
