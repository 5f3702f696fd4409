from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_files import archive_files
from bundler.archive.verify import verify_archive
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


@pytest.mark.parametrize("name", ["demo.tar.gz", "demo.tar.gz.000", "demo.tar.gz.003"])
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
    assert caught.value.got == f"no demo.tar.gz.00{number}"


def test_a_gap_is_seen_without_sums(tmp_path: Path, parts: list[Path]) -> None:
    (tmp_path / "demo.tar.gz.parts.sha256").unlink()
    parts[0].unlink()
    parts[2].unlink()
    with pytest.raises(IntegrityError) as caught:
        archive_files(parts[1])
    assert caught.value.got == "no demo.tar.gz.000, demo.tar.gz.002"


def test_bad_parts_are_named(tmp_path: Path, parts: list[Path]) -> None:
    for number in (1, 3):
        data = bytearray(parts[number].read_bytes())
        data[-100] ^= 1
        parts[number].write_bytes(data)
    with pytest.raises(IntegrityError) as caught:
        verify_archive(tmp_path / "demo.tar.gz", Unwatched())
    assert caught.value.id is ErrorId.BUNDLE_DAMAGED
    assert "demo.tar.gz.001" in str(caught.value)


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
