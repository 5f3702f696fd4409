from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import stat
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, ManifestError, SourceError
from bundler.upstream_archive.members import list_members, read_members
from bundler.upstream_archive.selection import ListedMember
from bundler.upstream_archive.stream import MemberLimits
from tests.compressions import xz_dictionary, zstd_frame
from tests.unit.upstream_archive.archives import FILES, KEADM, NOISE, WHERE, refused, take, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def tar_with(**fields: object) -> bytes:
    """Return a tar whose only member has these header fields."""
    info = tarfile.TarInfo("dir/wanted")
    for name, value in fields.items():
        setattr(info, name, value)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(info)
    return out.getvalue()


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED, mode: int = stat.S_IFREG | 0o755) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2022, 6, 12, 2, 13, 20))
            info.external_attr = mode << 16
            info.compress_type = compression
            archive.writestr(info, data)
    return out.getvalue()


PACKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "gnu tar": tar_of,
    "pax tar": lambda files: tar_of(files, format=tarfile.PAX_FORMAT),
    "tar.gz": lambda files: gzip.compress(tar_of(files), 6),
    "tar.gz of two streams": lambda files: gzip.compress(tar_of(files)[:5000]) + gzip.compress(tar_of(files)[5000:]),
    "tar.gz with padding": lambda files: gzip.compress(tar_of(files)) + bytes(1024),
    "tar.bz2": lambda files: bz2.compress(tar_of(files)),
    "tar.xz": lambda files: lzma.compress(tar_of(files)),
    "tar.zst": lambda files: zstd_frame(tar_of(files)),
    "zip": zip_of,
    "zip stored": lambda files: zip_of(files, zipfile.ZIP_STORED),
    "zip lzma": lambda files: zip_of(files, zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
def test_takes_one_member_of_every_format(pack: Callable[[dict[str, bytes]], bytes]) -> None:
    [(member, chunks)] = [
        (member, b"".join(chunks)) for member, chunks in read_members(io.BytesIO(pack(FILES)), [KEADM], where=WHERE)
    ]

    assert (member.name, member.size, member.executable) == (KEADM, len(NOISE), True)
    assert member.mtime == 1_655_000_000
    assert chunks == NOISE


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_takes_a_subtree_and_nothing_beside_it(pack: Callable[[dict[str, bytes]], bytes]) -> None:
    archive = pack({"./k/crds/a.yaml": b"a", "k/crds-old/c.yaml": b"c", "k/crds/sub/b.yaml": b"b", "k/empty": b""})

    assert take(archive, "k/crds/") == {"k/crds/a.yaml": b"a", "k/crds/sub/b.yaml": b"b"}
    assert take(archive, "k/empty") == {"k/empty": b""}
    assert len(take(archive, "./")) == 4


def test_members_that_are_not_read_are_passed_over() -> None:
    archive = gzip.compress(tar_of(FILES))

    names = [member.name for member, _ in read_members(io.BytesIO(archive), ["./"], where=WHERE)]

    assert names == list(FILES)


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_missing_member_names_the_near_ones(pack: Callable[[dict[str, bytes]], bytes]) -> None:
    error = refused(pack(FILES), "keadm/keadm")

    assert isinstance(error, ManifestError)
    assert error.id == ErrorId.MEMBER_MISSING
    assert f"did you mean '{KEADM}'?" in error.what
    assert f"  it holds {KEADM}" in error.problems


@pytest.mark.parametrize(
    ("wish", "hint"),
    [
        ("keadm-v1.11.1-linux-amd64/keadm", "it is a directory: write 'keadm-v1.11.1-linux-amd64/keadm/'"),
        ("v1.11.0/keadm/", "did you mean 'keadm-v1.11.1-linux-amd64/keadm/'?"),
        ("keadm-v1.11.1-linux-arm64/version", "did you mean 'keadm-v1.11.1-linux-amd64/version'?"),
    ],
)
def test_a_missing_member_comes_with_a_hint(wish: str, hint: str) -> None:
    assert hint in refused(tar_of(FILES), wish).what


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a/.."])
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_name_that_leaves_the_archive_condemns_all_of_it(pack: Callable[..., bytes], name: str) -> None:
    error = refused(pack({KEADM: b"ok", name: b"bad"}), KEADM)

    assert isinstance(error, SourceError)
    assert error.id == ErrorId.SOURCE_ARCHIVE_UNSAFE
    assert repr(name) in error.what


@pytest.mark.parametrize("type_", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_wanted_link_is_refused_by_name(type_: bytes) -> None:
    error = refused(tar_with(type=type_, linkname="../../etc/passwd"), "dir/wanted")

    assert error.id == ErrorId.MEMBER_MISSING
    assert "'dir/wanted' is a link to '../../etc/passwd'" in error.what


def test_a_wanted_link_of_a_zip_is_refused() -> None:
    error = refused(zip_of({"l": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777), "l")

    assert "'l' is a link;" in error.what


@pytest.mark.parametrize("type_", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_wanted_device_is_unsafe(type_: bytes) -> None:
    error = refused(tar_with(type=type_), "dir/")

    assert error.id == ErrorId.SOURCE_ARCHIVE_UNSAFE
    assert "not a regular file" in error.what


def test_unwanted_links_and_devices_do_no_harm() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, type_ in (("l", tarfile.SYMTYPE), ("d", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = type_, "/dev/null"
            tar.addfile(info)
        info = tarfile.TarInfo("file")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"ok"))

    assert take(out.getvalue(), "file") == {"file": b"ok"}


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_wanted_name_that_occurs_twice_is_unsafe(pack: Callable[..., bytes]) -> None:
    error = refused(pack({"a/x": b"1", "./a/x": b"2"}), "a/x")

    assert error.id == ErrorId.SOURCE_ARCHIVE_UNSAFE
    assert "occurs twice" in error.what


@pytest.mark.parametrize("cut", [100, 512, 700, 600_000])
@pytest.mark.parametrize("pack", [tar_of, lambda files: gzip.compress(tar_of(files), 0)])
def test_an_archive_cut_short_is_never_taken_for_whole(pack: Callable[..., bytes], cut: int) -> None:
    error = refused(pack(FILES)[:cut], "./")

    assert error.id == ErrorId.SOURCE_INVALID


def test_a_tar_cut_between_two_members_is_not_taken_for_whole() -> None:
    whole = tar_of({"a": b"1" * 512, "b": b"2"})

    assert "no end-of-archive block" in refused(whole[:1024], "a").what


def test_a_damaged_header_is_not_taken_for_the_end() -> None:
    damaged = bytearray(tar_of({"a": b"1" * 512, "b": b"2"}))
    damaged[1024 + 10] ^= 0xFF

    assert "no end-of-archive block" in refused(bytes(damaged), "a").what


def test_a_gzip_with_a_wrong_checksum_is_refused() -> None:
    damaged = bytearray(gzip.compress(tar_of(FILES)))
    damaged[-6] ^= 1

    assert refused(bytes(damaged), KEADM).id == ErrorId.SOURCE_INVALID


def test_something_else_after_the_gzip_data_is_refused() -> None:
    assert "something else after" in refused(gzip.compress(tar_of(FILES)) + b"evil", KEADM).what


def header(name: str, size_field: bytes, type_: bytes = b"0") -> bytes:
    """Return one ustar header block with any size field."""
    block = bytearray(512)
    block[: len(name)] = name.encode()
    block[100:108], block[124:136], block[136:148] = b"0000644\0", size_field, b"00000000000\0"
    block[156:157], block[257:265] = type_, b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(header("wanted", b"77777777777\0") + bytes(2048), id="more than there is"),
        pytest.param(header("wanted", b"\xff" * 12) + bytes(2048), id="negative"),
        pytest.param(header("other", b"\xff" * 10 + b"\xfc\x00") + bytes(2048), id="pointing back (CVE-2025-8194)"),
        pytest.param(header("wanted", b"\x80" + b"\x7f" * 11) + bytes(2048), id="astronomic"),
        pytest.param(header("wanted", b"00000000004\0", b"x") + b"xxxx" + bytes(508), id="pax header of rubbish"),
        pytest.param(header("wanted", b"00100000000\0", b"L") + bytes(1 << 21), id="name of 16 MiB"),
    ],
)
def test_a_header_that_lies_about_sizes_is_refused(archive: bytes) -> None:
    assert refused(archive, "wanted").id in (ErrorId.SOURCE_INVALID, ErrorId.SOURCE_ARCHIVE_UNSAFE)


def test_endless_long_names_are_refused() -> None:
    chain = (header("././@LongLink", b"00000000002\0", b"L") + b"x".ljust(512, b"\0")) * 3000

    assert "without end" in refused(chain, "x").what


def test_a_sparse_member_is_not_taken() -> None:
    assert "sparse" in refused(header("wanted", b"00000000000\0", b"S") + bytes(1024), "wanted").what


@pytest.mark.parametrize("pack", [lambda files: gzip.compress(tar_of(files)), zip_of])
def test_a_decompression_bomb_is_refused(pack: Callable[..., bytes]) -> None:
    bomb = pack({"zeros": bytes(4 << 20)})

    error = refused(bomb, "zeros", limits=MemberLimits(ratio=100, free_bytes=1 << 20))

    assert error.id == ErrorId.SOURCE_ARCHIVE_UNSAFE
    assert "bomb" in error.what


def test_an_unwanted_bomb_is_refused_too() -> None:
    bomb = gzip.compress(tar_of({"a": b"a", "zeros": bytes(4 << 20)}))

    assert "bomb" in refused(bomb, "a", limits=MemberLimits(ratio=100, free_bytes=1 << 20)).what


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_member_beyond_the_limit_is_refused(pack: Callable[..., bytes]) -> None:
    assert "claims 768,000 bytes" in refused(pack(FILES), KEADM, limits=MemberLimits(member_bytes=700_000)).what


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_too_many_members_are_refused(pack: Callable[..., bytes]) -> None:
    assert "more than 1 members" in refused(pack(FILES), KEADM, limits=MemberLimits(members=1)).what


def test_a_huge_directory_of_a_zip_is_refused() -> None:
    archive = zip_of({f"file-{number}": b"" for number in range(100)})

    assert "directory" in refused(archive, "file-1", limits=MemberLimits(directory_bytes=4096)).what


def edited_zip(local: Sequence[tuple[int, bytes]], central: Sequence[tuple[int, bytes]]) -> bytes:
    """Return a zip of one stored member with bytes of its two headers replaced (APPNOTE 4.3.7, 4.3.12)."""
    data = bytearray(zip_of({"x": b"hello world"}, zipfile.ZIP_STORED))
    start = data.index(b"PK\x01\x02")
    for base, edits in ((0, local), (start, central)):
        for offset, value in edits:
            data[base + offset : base + offset + len(value)] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        pytest.param(edited_zip([(6, b"\x01")], [(8, b"\x01")]), "encrypted", id="encrypted"),
        pytest.param(edited_zip([(14, b"abcd")], [(16, b"abcd")]), "damaged", id="wrong crc"),
        pytest.param(
            edited_zip([(22, struct.pack("<I", 99))], [(24, struct.pack("<I", 99))]), "claims 99", id="size too large"
        ),
        pytest.param(
            edited_zip([(22, struct.pack("<I", 5))], [(24, struct.pack("<I", 5))]), "damaged", id="size too small"
        ),
        pytest.param(edited_zip([(8, b"\x63")], [(10, b"\x63")]), "damaged", id="unknown method"),
        pytest.param(edited_zip([(26, b"\xff\xff")], []), "damaged", id="local name too long"),
        pytest.param(zip_of(FILES)[:-30], "damaged", id="cut short"),
        pytest.param(zip_of(FILES)[:4] + random.Random(5).randbytes(400), "damaged", id="rubbish"),
    ],
)
def test_a_bad_zip_is_refused(archive: bytes, words: str) -> None:
    error = refused(archive, "./")

    assert error.exit_code == 4
    assert words in error.what


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>" + b" " * 600, "it begins with b'<!DOCTYPE html"),
        (zstd_frame(b"just text " * 100), "it is zstd data that holds no tar archive"),
        (gzip.compress(b"just text " * 100), "it is gzip data that holds no tar archive"),
        (b"short", "it begins with b'short'"),
    ],
    ids=["empty", "a page", "zstd", "compressed text", "a few bytes"],
)
def test_what_is_no_archive_says_what_it_looks_like(data: bytes, words: str) -> None:
    error = refused(data, "x")

    assert error.id == ErrorId.SOURCE_INVALID
    assert words in error.what


def test_an_xz_that_asks_for_a_huge_dictionary_is_refused() -> None:
    assert "memory" in refused(xz_dictionary(tar_of(FILES)), KEADM).what.lower()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
def test_whatever_is_damaged_ends_in_an_error_for_a_person(
    pack: Callable[[dict[str, bytes]], bytes], seed: int
) -> None:
    whole = pack({"a/b": b"hello" * 10, "./c/" + "n" * 150: b"x" * 700, "d": b""})
    chance = random.Random(seed)
    places = []
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 2, 20])):
            place = chance.randrange(len(data))
            data[place] = chance.choice([0, 255, chance.randrange(256), data[place] ^ (1 << chance.randrange(8))])
        try:
            take(bytes(data), "./")
        except BundlerError as error:
            places.append(error.where)

    assert len(places) > 10
    assert set(places) == {WHERE}


def test_an_archive_is_listed_with_its_links_and_without_its_devices() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, target in (
            ("./d", tarfile.DIRTYPE, ""),
            ("./d/link", tarfile.SYMTYPE, "file"),
            ("d/pipe", tarfile.FIFOTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
        info = tarfile.TarInfo("d/file")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))

    listed = list_members(io.BytesIO(gzip.compress(out.getvalue())), where=WHERE)

    assert listed == (ListedMember("d/link", 0, "file"), ListedMember("d/file", 3))
    assert list_members(io.BytesIO(zip_of({"a/b": b"12"})), where=WHERE) == (ListedMember("a/b", 2),)


def test_a_listing_refuses_what_reading_refuses() -> None:
    with pytest.raises(SourceError) as caught:
        list_members(io.BytesIO(tar_of({"../evil": b""})), where=WHERE)
    assert caught.value.id == ErrorId.SOURCE_ARCHIVE_UNSAFE
