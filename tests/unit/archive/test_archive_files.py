from __future__ import annotations

import hashlib
import random
from collections import deque
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_files import archive_files
from bundler.archive.archive_reader import open_archive
from bundler.archive.part_set import PartPlaces
from bundler.archive.verify import verify_archive
from bundler.carry.part_writer import parts_output
from bundler.errors import BundleFormatError, ErrorId, IntegrityError
from bundler.model.progress import Unwatched
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from pathlib import Path

PART_BYTES = 50_000


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """A bundle in parts, with their sums."""
    made = sample(tmp_path, {"random": random.Random(3).randbytes(220_000)})
    whole = made.write(tmp_path / "demo.tar.gz").path
    data = whole.read_bytes()
    whole.unlink()
    paths = []
    for number, start in enumerate(range(0, len(data), PART_BYTES)):
        paths.append(tmp_path / f"demo.tar.gz.{number:03}")
        paths[-1].write_bytes(data[start : start + PART_BYTES])
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths]
    (tmp_path / "demo.tar.gz.parts.sha256").write_text("".join(lines))
    return paths


@pytest.mark.parametrize("name", ["demo.tar.gz", "demo.tar.gz.000", "demo.tar.gz.003", "."])
@pytest.mark.parametrize("with_sums", [True, False])
def test_parts_are_one_archive_whichever_is_named(
    tmp_path: Path, parts: list[Path], name: str, *, with_sums: bool
) -> None:
    if not with_sums:
        (tmp_path / "demo.tar.gz.parts.sha256").unlink()
    assert archive_files(tmp_path / name).paths == tuple(parts)
    assert verify_archive(tmp_path / name, Unwatched()).intact


@pytest.mark.parametrize("number", [0, 2, 4])
def test_missing_parts_are_named(tmp_path: Path, parts: list[Path], number: int) -> None:
    parts[number].unlink()
    with pytest.raises(IntegrityError) as caught:
        archive_files(tmp_path / "demo.tar.gz")
    assert caught.value.id is ErrorId.BUNDLE_INCOMPLETE
    begin = number * PART_BYTES
    span = f"bytes {begin} to {'the end' if number == 4 else begin + PART_BYTES - 1}"
    assert caught.value.got == f"no demo.tar.gz.00{number} ({span} of the archive)"


def test_a_gap_is_seen_without_sums(tmp_path: Path, parts: list[Path]) -> None:
    (tmp_path / "demo.tar.gz.parts.sha256").unlink()
    parts[0].unlink()
    parts[2].unlink()
    with pytest.raises(IntegrityError) as caught:
        archive_files(parts[1])
    missing = (
        "demo.tar.gz.000 (bytes 0 to 49999 of the archive), demo.tar.gz.002 (bytes 100000 to 149999 of the archive)"
    )
    assert caught.value.got == f"no {missing}"


def test_bad_parts_are_named(tmp_path: Path, parts: list[Path]) -> None:
    for number in (1, 3):
        data = bytearray(parts[number].read_bytes())
        data[-100] ^= 1
        parts[number].write_bytes(data)
    with pytest.raises(IntegrityError) as caught:
        verify_archive(tmp_path / "demo.tar.gz", Unwatched())
    assert caught.value.id is ErrorId.BUNDLE_DAMAGED
    assert "demo.tar.gz.001 (bytes 50000 to 99999 of the archive)" in str(caught.value)


def test_a_part_that_still_unpacks_but_differs_from_its_sum_is_named(tmp_path: Path, parts: list[Path]) -> None:
    data = bytearray(parts[0].read_bytes())
    data[4] ^= 1  # the date in the gzip header, which nothing else checks
    parts[0].write_bytes(data)
    with pytest.raises(IntegrityError) as caught:
        verify_archive(tmp_path / "demo.tar.gz", Unwatched())
    assert caught.value.where.endswith("demo.tar.gz.000")


def test_no_archive_at_all(tmp_path: Path) -> None:
    for name in ("absent.tar.gz", "absent.tar.gz.000", "absent/absent.tar.gz"):
        with pytest.raises(BundleFormatError) as caught:
            archive_files(tmp_path / name)
        assert caught.value.id is ErrorId.BUNDLE_NOT_FOUND


def test_a_whole_archive_may_be_named_like_a_part(tmp_path: Path) -> None:
    whole = sample(tmp_path).write(tmp_path / "bundle.2025").path
    assert archive_files(whole).paths == (whole,)


def test_parts_on_several_media_are_one_archive(tmp_path: Path, parts: list[Path]) -> None:
    for number, directory in enumerate(("second", "third")):
        (tmp_path / directory).mkdir()
        parts[number + 1].rename(tmp_path / directory / parts[number + 1].name)
    media = tmp_path / "second", tmp_path / "third"
    found = archive_files(parts[0], PartPlaces(media))
    assert [path.parent.name for path in found.paths[1:3]] == ["second", "third"]
    assert verify_archive(found, Unwatched()).intact
    with pytest.raises(IntegrityError):
        archive_files(parts[0], PartPlaces(media[:1]))


class _Person:
    """Puts the next part in the drive when asked; has no more than these."""

    def __init__(self, drive: Path, shelf: Path) -> None:
        self.drive, self.shelf = drive, shelf
        self.asked: list[str] = []

    def ask(self, name: str) -> bool:
        self.asked.append(name)
        for left in self.drive.glob("*.tar.gz.[0-9]*"):
            left.rename(self.shelf / left.name)
        there = (self.shelf / name).exists()
        if there:
            (self.shelf / name).rename(self.drive / name)
        return there

    def stop(self) -> None:
        """Nobody waits."""


@pytest.mark.parametrize("lost", [None, 3])
def test_media_are_asked_for_in_turn(tmp_path: Path, parts: list[Path], lost: int | None) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for number, path in enumerate(parts):
        if number == lost:
            path.unlink()
        elif number:
            path.rename(shelf / path.name)
    person = _Person(tmp_path, shelf)
    found = archive_files(tmp_path / "demo.tar.gz.000", PartPlaces((), person))
    if lost is None:
        assert verify_archive(found, Unwatched()).intact
        assert person.asked == [path.name for path in parts[1:]]
    else:
        with pytest.raises(IntegrityError) as caught:
            verify_archive(found, Unwatched())
        assert caught.value.id is ErrorId.BUNDLE_INCOMPLETE
        assert parts[lost].name in caught.value.got


def test_nobody_is_asked_how_many_parts_there_are(tmp_path: Path, parts: list[Path]) -> None:
    (tmp_path / "demo.tar.gz.parts.sha256").unlink()
    parts[1].unlink()
    with pytest.raises(IntegrityError):
        archive_files(parts[0], PartPlaces((), _Person(tmp_path, tmp_path)))


def test_a_directory_with_parts_of_two_archives_says_so(tmp_path: Path, parts: list[Path]) -> None:
    assert parts
    (tmp_path / "other.tar.gz.000").write_bytes(b"x")
    with pytest.raises(BundleFormatError) as caught:
        archive_files(tmp_path)
    assert "demo.tar.gz, other.tar.gz" in caught.value.what


def test_parts_of_a_longer_set_have_one_width(tmp_path: Path, parts: list[Path]) -> None:
    for path in parts:
        path.rename(path.with_suffix(f".0{path.suffix[1:]}"))
    (tmp_path / "demo.tar.gz.parts.sha256").unlink()
    (tmp_path / "demo.tar.gz.007").write_bytes(b"of another run")
    assert verify_archive(tmp_path / "demo.tar.gz.0000", Unwatched()).intact


def test_a_list_with_a_damaged_line_does_not_hide_the_last_part(tmp_path: Path, parts: list[Path]) -> None:
    sums = tmp_path / "demo.tar.gz.parts.sha256"
    lines = sums.read_text().splitlines()
    sums.write_text("\n".join([*lines[:-1], "x" + lines[-1]]))
    assert archive_files(parts[0]).paths == tuple(parts)
    assert verify_archive(parts[0], Unwatched()).intact


def _read(path: Path) -> None:
    with open_archive(path) as reader:
        for file in reader.files():
            deque(file.chunks, maxlen=0)


def test_a_flipped_bit_anywhere_is_found_and_its_part_named(tmp_path: Path) -> None:
    chance = random.Random(16)
    files = {f"a/{number:04}": bytes(chance.randrange(1, 2000)) for number in range(1500)}
    parts = sample(tmp_path, files).write(tmp_path / "demo.tar.gz", open_output=parts_output(4_000)).files
    assert len(parts) > 4
    for _ in range(60):
        path = chance.choice(parts)
        data = bytearray(whole := path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        with pytest.raises(IntegrityError) as caught:
            _read(parts[0])
        assert path.name in str(caught.value)
        path.write_bytes(whole)
