from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_files import archive_files
from bundler.archive.verify import verify_archive
from bundler.carry.part_writer import parts_output
from bundler.carry.splitting import split_archive
from bundler.errors import IntegrityError, StorageError
from bundler.model.progress import Unwatched
from tests.unit.archive.bundles import files_below, sample

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.carry.splitting import SplitArchive


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A bundle's archive with its sum, alone in a directory."""
    (tmp_path / "made").mkdir()
    made = sample(tmp_path, {"random": random.Random(5).randbytes(400_000)})
    return made.write(tmp_path / "made" / "demo.tar.gz").path


def _split(source: Path, out: Path, part_bytes: int) -> SplitArchive:
    output = parts_output(part_bytes, keep_whole=True)
    return split_archive(archive_files(source), out, output, Unwatched())


def test_an_archive_is_split_beside_itself_and_stays(archive: Path) -> None:
    data = archive.read_bytes()
    done = _split(archive, archive, 100_000)
    assert done.blob.size == len(data)
    assert b"".join(path.read_bytes() for path in done.files) == data
    assert archive.read_bytes() == data
    archive.unlink()
    assert verify_archive(archive, Unwatched()).intact


def test_parts_are_split_again_into_others(archive: Path) -> None:
    data = archive.read_bytes()
    _split(archive, archive, 100_000)
    archive.unlink()
    done = _split(archive, archive, 70_000)
    assert b"".join(path.read_bytes() for path in done.files) == data
    assert verify_archive(archive.parent, Unwatched()).intact
    done = _split(archive.parent, archive, 10_000_000)
    assert [path.name for path in done.files] == ["demo.tar.gz.000"]
    assert sorted(files_below(archive.parent)) == [
        "demo.tar.gz.000",
        "demo.tar.gz.parts.sha256",
        "demo.tar.gz.sha256",
    ]


def test_parts_become_one_file_again(archive: Path) -> None:
    before = files_below(archive.parent)
    _split(archive, archive, 100_000)
    archive.unlink()
    done = split_archive(archive_files(archive), archive, parts_output(None, keep_whole=True), Unwatched())
    assert done.files == (archive,)
    assert files_below(archive.parent) == before


def test_a_damaged_archive_is_not_split(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[1000] ^= 1
    archive.write_bytes(data)
    before = files_below(archive.parent)
    with pytest.raises(IntegrityError, match=r"differs from its \.sha256 file"):
        _split(archive, archive, 100_000)
    assert files_below(archive.parent) == before


def test_another_archive_of_the_name_is_not_hidden_behind_the_parts(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "demo.tar.gz").write_bytes(b"another one")
    with pytest.raises(StorageError, match="another archive of this name"):
        _split(archive, tmp_path / "usb" / "demo.tar.gz", 100_000)
