"""The packed file: what is written is read again, found, and made only when somebody looks at it."""

from __future__ import annotations

import errno
import os
from array import array
from typing import IO, TYPE_CHECKING

import pytest

from mirror.tree.lazy import Lazy, joined
from mirror.tree.packed import Packed, PackedWriter, anonymous_file
from mirror.tree.site_loading import open_site, pack_site
from tests.unit.mirror.bundle_tree import CONTENTS, directory_at, file_at, opened, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from mirror.tree.served import File

ROWS = [b"a", b"", b"abc", b"b", b"cabb"]


def packed(file: IO[bytes] | None = None) -> Packed:
    """Return a file with each kind of section."""
    writer = PackedWriter(file)
    writer.add_rows("rows", ROWS)
    writer.add_rows("sorted", sorted(ROWS))
    writer.add_rows("none", [])
    writer.add_numbers("numbers", array("Q", [1, 2**40]))
    writer.add_value("value", (None, True, ["\u00e9", b"x", 2**70]))
    descriptor = writer.finish()
    try:
        return Packed(descriptor)
    finally:
        os.close(descriptor)


def test_what_was_written_is_read() -> None:
    found = packed()
    assert list(found.rows("rows")) == list(found.rows("rows")[:]) == ROWS
    assert list(found.numbers("numbers")) == [1, 2**40]
    assert found.value("value") == (None, True, ["\u00e9", b"x", 2**70])
    assert "rows" in found
    assert "row" not in found
    assert list(found.rows("none")) == []
    with pytest.raises(IndexError):
        found.rows("rows")[len(ROWS)]


def test_rows_are_found_by_the_whole_the_beginning_and_a_piece() -> None:
    found = packed()
    rows = found.rows("sorted")
    assert [rows.find(row) for row in sorted(ROWS)] == [0, 1, 2, 3, 4]
    assert rows.find(b"ab") is rows.find(b"zz") is None
    assert list(rows.beginning_with(b"a", b"b")) == [1, 2]
    # each row once, however often it is in there
    assert [found.rows("rows")[place] for place in found.rows("rows").holding(b"b")] == [b"abc", b"b", b"cabb"]
    assert found.rows("rows").holding(b"none") == found.rows("none").holding(b"b") == []


def test_nobody_can_write_to_a_finished_file() -> None:
    writer = PackedWriter()
    writer.add_value("value", 1)
    descriptor = writer.finish()
    with pytest.raises(OSError) as refused:  # noqa: PT011 - what it is follows
        os.pwrite(descriptor, b"x", 0)
    assert refused.value.errno in (errno.EPERM, errno.EBADF)
    os.close(descriptor)


@pytest.mark.parametrize("error", [OSError(errno.ENOSYS, "no such call"), AttributeError("memfd_create")])
def test_a_host_without_memfd_has_a_file_without_a_name(error: Exception) -> None:
    def lacks() -> int:
        raise error

    assert list(packed(anonymous_file(lacks)).rows("rows")) == ROWS
    writer = PackedWriter(anonymous_file(lacks))
    writer.add_value("value", 1)
    descriptor = writer.finish()
    assert os.fstat(descriptor).st_nlink == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.pwrite(descriptor, b"x", 0)
    os.close(descriptor)


def test_a_sequence_makes_only_what_is_looked_at() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    lazy = joined([Lazy(range(1000), make), Lazy(range(5000, 6000), make)])
    assert (len(lazy), made) == (2000, [])
    assert list(lazy[998:1002]) == made == [998, 999, 5000, 5001]
    assert list(joined([])) == []


def test_opening_a_site_opens_no_file_and_a_listing_only_what_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"many/{number:04}": b"" for number in range(3000)}
    with opened(write_bundle(tmp_path, {**CONTENTS, **many})) as root:
        descriptor = pack_site(root)
        (tmp_path / "bundle.json").unlink()
        site = open_site(descriptor, root, ())
        os.close(descriptor)
        assert file_at(site, "kubeedge/keadm-amd64").size == len(CONTENTS["kubeedge/keadm-amd64"])
        (bundle,) = site.bundles
        made: list[int] = []
        make = bundle.file

        def counted(number: int) -> File:
            made.append(number)
            return make(number)

        monkeypatch.setattr(bundle, "file", counted)
        directory = directory_at(site, "many")
        assert len(directory.files) == 3000
        assert not made
        assert [entry.name for entry in directory.files[1000:1003]] == ["1000", "1001", "1002"]
        assert len(made) == 3
