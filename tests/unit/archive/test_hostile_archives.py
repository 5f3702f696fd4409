"""Every reader meets every bad archive: always an error of ours, never a file under a final name."""

from __future__ import annotations

import gzip
import json
import struct
import tarfile
from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_archive
from bundler.archive.verify_report import require_intact
from bundler.errors import BundleFormatError, BundlerError, ErrorId, IntegrityError
from bundler.model.bundle import MAX_INDEX_BYTES
from bundler.model.progress import Unwatched
from tests.sources import open_bundle, unpack
from tests.unit.archive.bundles import files_below, gzipped, member, packed, sample, tar_bytes, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> dict[str, bytes]:
    """The files of an intact bundle, bundle.json first."""
    made = sample(tmp_path)
    return tree_of(made.bundle, made.store.blobs)


def _check(archive: Path) -> None:
    require_intact(verify_archive(archive, Unwatched()))


def _refused(archive: Path, expected: ErrorId, said: str = "") -> None:
    """Both readers refuse, and unpacking leaves nothing at all."""
    with pytest.raises(BundlerError) as caught:
        _check(archive)
    assert caught.value.id is expected, str(caught.value)
    assert said in str(caught.value)
    target = archive.parent / "target" / "deeper"
    with pytest.raises(BundlerError) as caught:
        unpack(archive, target, Unwatched())
    assert caught.value.id in (expected, ErrorId.ARCHIVE_UNSAFE), str(caught.value)
    assert not target.parent.exists()


def test_an_intact_one_passes(tmp_path: Path, tree: Mapping[str, bytes]) -> None:
    _check(packed(tmp_path / "a.tar.gz", tree))


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("/etc/absolute", {}, "not a safe path"),
        ("../escape", {}, "not a safe path"),
        ("kubeedge/../../escape", {}, "not a safe path"),
        ("kubeedge/./x", {}, "not a safe path"),
        ("back\\slash", {}, "not a safe path"),
        ("new\nline", {}, "not a safe path"),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a symbolic link"),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "bundle.json"}, "is a symbolic link"),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "../outside"}, "is a hard link"),
        ("kubeedge/device", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "is a character device"),
        ("kubeedge/device", {"type": tarfile.BLKTYPE}, "is a block device"),
        ("kubeedge/fifo", {"type": tarfile.FIFOTYPE}, "is a fifo"),
        ("kubeedge/sparse", {"type": tarfile.GNUTYPE_SPARSE}, "is a member of type"),
        ("kubeedge/keadm-amd64", {}, "is there twice"),
        ("./kubeedge//keadm-amd64/", {"type": tarfile.DIRTYPE}, "not a safe path"),
        ("kubeedge/keadm-amd64/", {"type": tarfile.DIRTYPE}, "is there twice"),
    ],
)
def test_unsafe_members(
    tmp_path: Path, tree: Mapping[str, bytes], name: str, fields: Mapping[str, object], said: str
) -> None:
    archive = packed(tmp_path / "a.tar.gz", tree, member(name, b"", **fields))
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, said)


def test_a_name_that_is_not_utf_8(tmp_path: Path, tree: Mapping[str, bytes]) -> None:
    archive = packed(tmp_path / "a.tar.gz", tree, member("caf\udce9"))
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, "not a safe path")


def test_a_directory_with_content(tmp_path: Path, tree: Mapping[str, bytes]) -> None:
    archive = packed(tmp_path / "a.tar.gz", tree, member("yum2", b"x" * 512, type=tarfile.DIRTYPE))
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, "directory with content")


@pytest.mark.parametrize("extra", [member("stranger", b"x"), member("strange/", type=tarfile.DIRTYPE)])
def test_unlisted_members(tmp_path: Path, tree: Mapping[str, bytes], extra: tuple[tarfile.TarInfo, bytes]) -> None:
    _refused(packed(tmp_path / "a.tar.gz", tree, extra), ErrorId.BUNDLE_DAMAGED, f"unlisted: {extra[0].name}")


def test_a_missing_member(tmp_path: Path, tree: dict[str, bytes]) -> None:
    del tree["harbor/empty"], tree["kubeedge/keadm-amd64"]
    _refused(
        packed(tmp_path / "a.tar.gz", tree),
        ErrorId.BUNDLE_DAMAGED,
        "missing: harbor/, harbor/empty, kubeedge/keadm-amd64",
    )


def test_every_changed_member_is_named(tmp_path: Path, tree: dict[str, bytes]) -> None:
    tree["kubeedge/keadm-amd64"] = tree["kubeedge/keadm-amd64"][:-1] + b"?"
    tree["yum/repodata/repomd.xml"] += b"longer"
    tree["k8simage/oci-layout"] = b"shorter"
    report = verify_archive(packed(tmp_path / "a.tar.gz", tree), Unwatched())
    assert report.changed == ("k8simage/oci-layout", "kubeedge/keadm-amd64", "yum/repodata/repomd.xml")
    assert (report.missing, report.unlisted) == ((), ())
    assert report.files == len(tree) - 3
    _refused(tmp_path / "a.tar.gz", ErrorId.BUNDLE_DAMAGED, "changed: k8simage/oci-layout")


def test_sums_that_disagree_with_the_index(tmp_path: Path, tree: dict[str, bytes]) -> None:
    tree["SHA256SUMS"] = tree["SHA256SUMS"].replace(b"0", b"1")
    _refused(packed(tmp_path / "a.tar.gz", tree), ErrorId.BUNDLE_DAMAGED, "changed: SHA256SUMS")


def test_a_size_that_lies(tmp_path: Path, tree: dict[str, bytes]) -> None:
    data = tree.pop("yum/repodata/repomd.xml")
    for size in (len(data) + 512, 0, 2**62):
        archive = packed(tmp_path / "a.tar.gz", tree, member("yum/repodata/repomd.xml", data, size=size))
        with pytest.raises(IntegrityError):
            _check(archive)
        with pytest.raises(IntegrityError):
            unpack(archive, tmp_path / "target", Unwatched())
        assert not (tmp_path / "target").exists()


class CountingTask(Unwatched):
    """Counts what was let through."""

    def __init__(self) -> None:
        self.count = 0

    def advance(self, count: int) -> None:
        self.count += count


def _bomb(path: Path, head: bytes, mebibytes: int) -> Path:
    with gzip.open(path, "wb", 1) as out:
        out.write(head)
        for _ in range(mebibytes):
            out.write(bytes(1 << 20))
    return path


def test_a_bomb_under_a_listed_name_goes_no_further_than_its_header(tmp_path: Path, tree: dict[str, bytes]) -> None:
    del tree["yum/repodata/repomd.xml"]
    members = [member(name, data) for name, data in tree.items()]
    head = tar_bytes([*members, member("yum/repodata/repomd.xml", size=1 << 40)])[:-1024]
    archive = _bomb(tmp_path / "a.tar.gz", head, 80)
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, "more than the archive lists")


def test_zeros_without_end_after_the_end(tmp_path: Path, tree: Mapping[str, bytes]) -> None:
    head = tar_bytes([member(name, data) for name, data in tree.items()])
    archive = _bomb(tmp_path / "a.tar.gz", head, 4)
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, "something follows the end")


def test_garbage_in_the_tar_after_its_end(tmp_path: Path, tree: Mapping[str, bytes]) -> None:
    data = tar_bytes([member(name, data) for name, data in tree.items()])
    _refused(gzipped(tmp_path / "a.tar.gz", data + b"garbage"), ErrorId.ARCHIVE_UNSAFE, "something follows the end")


def test_a_bomb_before_any_index(tmp_path: Path) -> None:
    head = tar_bytes([member("kubeedge/zeros", size=1 << 40)])[:-1024]
    archive = _bomb(tmp_path / "a.tar.gz", head, 20)
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, "before any bundle.json")


def test_an_index_that_is_too_large(tmp_path: Path) -> None:
    head = tar_bytes([member("bundle.json", size=MAX_INDEX_BYTES + 1)])[:-1024]
    _refused(_bomb(tmp_path / "a.tar.gz", head, 1), ErrorId.ARCHIVE_UNSAFE, "bundle.json is too large")


def test_headers_about_headers_without_end(tmp_path: Path, tree: Mapping[str, bytes]) -> None:
    long_name = member("././@LongLink", b"kubeedge/x\0", type=tarfile.GNUTYPE_LONGNAME)
    members = [member(name, data) for name, data in tree.items()]
    archive = gzipped(tmp_path / "a.tar.gz", tar_bytes([*members, *[long_name] * 50]))
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, "too many headers")
    huge = member("././@LongLink", b"x" * 100_000, type=tarfile.GNUTYPE_LONGNAME)
    archive = gzipped(tmp_path / "a.tar.gz", tar_bytes([*members, huge]))
    _refused(archive, ErrorId.ARCHIVE_UNSAFE, "too many headers")


@pytest.mark.parametrize(
    "records",
    [
        b"17 size=99999999\n",
        b"20 linkname=x\nxxxxx",
        b"99 path=x\n",
        b"x path=y\n",
        b"0 \n",
        b"22 GNU.sparse.major=1\n",
    ],
)
def test_pax_records_that_say_more_than_a_name(tmp_path: Path, tree: Mapping[str, bytes], records: bytes) -> None:
    header = member("PaxHeaders/x", records, type=tarfile.XHDTYPE)
    archive = packed(tmp_path / "a.tar.gz", tree, header, member("x", b""))
    _refused(archive, ErrorId.BUNDLE_DAMAGED, "pax records")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "x" * 200])
def test_a_bundle_name_that_would_leave_the_target(tmp_path: Path, tree: dict[str, bytes], name: str) -> None:
    value = json.loads(tree["bundle.json"])
    value["name"] = name
    tree["bundle.json"] = json.dumps(value).encode()
    _refused(packed(tmp_path / "a.tar.gz", tree), ErrorId.BUNDLE_DAMAGED, "cannot be the name of a bundle")
    del tree["SHA256SUMS"]
    _refused(packed(tmp_path / "b.tar.gz", tree), ErrorId.BUNDLE_INVALID, "cannot be the name of a bundle")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda value: value | {"format": 2}, ErrorId.BUNDLE_FORMAT_NEWER),
        (lambda value: value | {"format": "one"}, ErrorId.BUNDLE_INVALID),
        (lambda value: value | {"files": [*value["files"], value["files"][0]]}, ErrorId.BUNDLE_INVALID),
        (lambda value: value | {"files": [value["files"][0] | {"path": "../x"}]}, ErrorId.BUNDLE_INVALID),
        (
            lambda value: value | {"files": [*value["files"], value["files"][0] | {"path": "harbor/empty/x"}]},
            ErrorId.BUNDLE_INVALID,
        ),
        (lambda _: [], ErrorId.BUNDLE_INVALID),
    ],
)
def test_a_bad_index(
    tmp_path: Path, tree: dict[str, bytes], change: Callable[[object], object], expected: ErrorId
) -> None:
    tree["bundle.json"] = json.dumps(change(json.loads(tree["bundle.json"]))).encode()
    damaged = expected if expected is ErrorId.BUNDLE_FORMAT_NEWER else ErrorId.BUNDLE_DAMAGED
    _refused(packed(tmp_path / "a.tar.gz", tree), damaged)
    sums = tree.pop("SHA256SUMS")
    archive = packed(tmp_path / "b.tar.gz", tree)
    _refused(archive, expected)
    with pytest.raises(BundleFormatError) as caught:
        open_bundle(archive)
    assert caught.value.id is expected
    # the same of a tree
    unpacked = tmp_path / "tree"
    unpacked.mkdir()
    (unpacked / "bundle.json").write_bytes(tree["bundle.json"])
    for text, word in ((None, expected), (sums, damaged)):
        if text is not None:
            (unpacked / "SHA256SUMS").write_bytes(text)
        with pytest.raises((BundleFormatError, IntegrityError)) as refused:
            open_bundle(unpacked)
        assert refused.value.id is word


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"format": 1', b'"format": 1, "format": 1', "'format' occurs twice"),
        (b'"files": [', b'"files": [], "files": [', "'files' occurs twice"),
        (b'{\n      "about"', b'{"path": "evil",\n      "about"', "'path' occurs twice"),
        (b"{", "\ufeff{".encode(), "byte order mark"),
        (b"demo", b"d\xffmo", "not UTF-8"),
        (b"harbor/", b"v2/", "'v2' is a reserved top-level name"),
        (b"harbor/", b"V2/", "'V2' is a reserved top-level name"),
        (b"harbor/", b"@x/", "'@x' is a reserved top-level name"),
        (b"harbor/", b"-/", "'-' is a reserved top-level name"),
        (b"harbor/", b"current/", "'current' is a reserved top-level name"),
        (b"harbor/", b"sha256sums.sig/", "'sha256sums.sig' is a reserved top-level name"),
        (b"harbor/", b"a\\u202eb/", "turns the reading order"),
        (b"harbor/", b"a\\u001bb/", "control character"),
        (b'"format": 1', b'"format": ' + b"1" * 5000, "number of 5000 characters"),
        (b'"mode": "0644"', b'"mode": " 0o644"', "neither 0644 nor 0755"),
        (b'"mode": "0644"', b'"mode": "0777"', "neither 0644 nor 0755"),
        (b'"format": 1', b'"later": NaN, "format": 1', "NaN is not JSON"),
        (b'"format": 1', b'"later": 1e999, "format": 1', "too large a number"),
        (b'"format": 1', b'"later": "\\ud800", "format": 1', "surrogates"),
        (b'"format": 1', b'"later": ' + b"[" * 100_000 + b', "format": 1', "nested too deep"),
    ],
)
def test_an_index_that_two_readers_may_take_for_different_ones(
    tmp_path: Path, tree: dict[str, bytes], old: bytes, new: bytes, words: str
) -> None:
    assert old in tree["bundle.json"]
    tree["bundle.json"] = tree["bundle.json"].replace(old, new, 1)
    del tree["SHA256SUMS"]
    _refused(packed(tmp_path / "a.tar.gz", tree), ErrorId.BUNDLE_INVALID, words)


def test_an_index_in_another_encoding_is_refused(tmp_path: Path, tree: dict[str, bytes]) -> None:
    text = tree["bundle.json"].decode()
    del tree["SHA256SUMS"]
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        tree["bundle.json"] = text.encode(encoding)
        _refused(packed(tmp_path / f"{encoding}.tar.gz", tree), ErrorId.BUNDLE_INVALID)


@pytest.mark.parametrize("flag", [4, 8, 16, 8 | 16])
def test_a_gzip_header_without_end(tmp_path: Path, flag: int) -> None:
    archive = tmp_path / "a.tar.gz"
    field = struct.pack("<H", 0xFFFF) * (flag == 4) + b"n" * 1_000_000
    archive.write_bytes(b"\x1f\x8b\x08" + bytes([flag]) + bytes(4) + b"\x00\xff" + field)
    _refused(archive, ErrorId.BUNDLE_DAMAGED)


def test_an_archive_without_index(tmp_path: Path) -> None:
    _refused(packed(tmp_path / "a.tar.gz", {"a": b"x"}), ErrorId.BUNDLE_NOT_FOUND, "holds no bundle.json")
    _refused(packed(tmp_path / "b.tar.gz", {}), ErrorId.BUNDLE_NOT_FOUND, "holds no bundle.json")


@pytest.mark.parametrize("data", [b"", b"no gzip at all", b"PK\x03\x04", bytes(2000)])
def test_what_is_no_gzip_file(tmp_path: Path, data: bytes) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(data)
    _refused(archive, ErrorId.BUNDLE_INVALID)


def test_gzip_of_something_else(tmp_path: Path) -> None:
    _refused(gzipped(tmp_path / "a.tar.gz", b"just text\n" * 1000), ErrorId.BUNDLE_DAMAGED, "tar header")


def test_truncation_anywhere(tmp_path: Path) -> None:
    whole = sample(tmp_path).write(tmp_path / "a.tar.gz").path.read_bytes()
    for length in (*range(1, 60), *range(60, len(whole), len(whole) // 150), *range(len(whole) - 60, len(whole))):
        _damaged_everywhere(tmp_path, whole[:length])


def test_truncation_of_the_tar_inside_an_intact_gzip(tmp_path: Path, tree: Mapping[str, bytes]) -> None:
    data = tar_bytes([member(name, data) for name, data in tree.items()])
    for length in range(1, len(data) - 511, 4001):
        archive = gzipped(tmp_path / "a.tar.gz", data[:length])
        with pytest.raises(BundlerError):
            _check(archive)
        with pytest.raises(BundlerError):
            unpack(archive, tmp_path / "target", Unwatched())
        assert not (tmp_path / "target").exists()


def test_garbage_behind_the_gzip(tmp_path: Path) -> None:
    whole = sample(tmp_path).write(tmp_path / "a.tar.gz").path.read_bytes()
    _damaged_everywhere(tmp_path, whole + b"garbage")
    _damaged_everywhere(tmp_path, whole + gzip.compress(b"garbage"))


def _damaged_everywhere(directory: Path, data: bytes) -> None:
    archive = directory / "damaged.tar.gz"
    archive.write_bytes(data)
    with pytest.raises((IntegrityError, BundleFormatError)):
        _check(archive)
    with pytest.raises((IntegrityError, BundleFormatError)):
        unpack(archive, directory / "target", Unwatched())
    assert not (directory / "target").exists()


def test_flipped_bits_never_let_another_file_through(tmp_path: Path) -> None:
    made = sample(tmp_path, {"kubeedge/random": bytes(range(256)) * 64, "kubeedge/text": b"text " * 4000})
    whole = made.write(tmp_path / "whole.tar.gz").path.read_bytes()
    intact = tree_of(made.bundle, made.store.blobs)
    archive, target = tmp_path / "flipped.tar.gz", tmp_path / "target"
    harmless = 0
    for position in range(0, len(whole), max(1, len(whole) // 400)):
        data = bytearray(whole)
        data[position] ^= 1 << position % 8
        archive.write_bytes(data)
        try:
            unpack(archive, target, Unwatched())
        except (IntegrityError, BundleFormatError):
            assert not target.exists()
        else:
            # a bit that no reader looks at, such as a date in a gzip header
            harmless += 1
            assert files_below(target) == intact
            for path in sorted(target.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            target.rmdir()
    assert harmless < 20


def test_reading_only_the_beginning_is_as_careful(tmp_path: Path, tree: dict[str, bytes]) -> None:
    tree["lock.json"] = tree["lock.json"].replace(b"1", b"2")
    with pytest.raises(IntegrityError, match=r"lock\.json is not the listed one"):
        open_bundle(packed(tmp_path / "a.tar.gz", tree))
    del tree["lock.json"]
    with pytest.raises(IntegrityError, match=r"lock\.json is not the listed one"):
        open_bundle(packed(tmp_path / "a.tar.gz", tree))
