from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bundler.archive.part_set import find_parts
from bundler.carry.part_check import PartsReport, check_parts, require_parts
from bundler.carry.part_writer import parts_output
from bundler.errors import ErrorId, IntegrityError
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched

if TYPE_CHECKING:
    from pathlib import Path

PART = 1000


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, ...]:
    """Six parts and the list of their sums."""
    return _written(tmp_path, seed=1)


def _written(directory: Path, *, seed: int) -> tuple[Path, ...]:
    directory.mkdir(exist_ok=True)
    data = random.Random(seed).randbytes(5 * PART + 7)
    with parts_output(PART)(directory / "demo.tar.gz", lambda: None) as output:
        output.write_all([data])
        return output.commit(Blob(Digest.sha256(data), len(data)))


def _checked(path: Path) -> PartsReport:
    found = find_parts(path)
    assert found is not None
    return check_parts(found, Unwatched())


def _states(report: PartsReport) -> list[str]:
    return [finding.state for finding in report.findings]


def test_all_parts_are_there(parts: tuple[Path, ...]) -> None:
    report = _checked(parts[0])
    assert _states(report) == ["intact"] * 6
    require_parts(report)


def test_missing_and_damaged_parts_are_listed_with_their_ranges(parts: tuple[Path, ...]) -> None:
    parts[1].unlink()
    parts[4].write_bytes(parts[4].read_bytes()[:-1])
    report = _checked(parts[0])
    assert report.wanted == ("demo.tar.gz.001", "demo.tar.gz.004")
    assert [str(report.findings[number].span) for number in (1, 4)] == ["bytes 1000 to 1999", "bytes 4000 to 4999"]
    with pytest.raises(IntegrityError) as caught:
        require_parts(report)
    assert caught.value.id is ErrorId.BUNDLE_DAMAGED
    assert caught.value.got == "demo.tar.gz.001 missing, demo.tar.gz.004 damaged"


def test_only_missing_ones_make_an_archive_incomplete(parts: tuple[Path, ...]) -> None:
    parts[5].unlink()
    with pytest.raises(IntegrityError) as caught:
        require_parts(_checked(parts[0]))
    assert caught.value.id is ErrorId.BUNDLE_INCOMPLETE


def test_parts_that_changed_places_are_recognised(parts: tuple[Path, ...]) -> None:
    first, second = parts[1].read_bytes(), parts[3].read_bytes()
    parts[1].write_bytes(second)
    parts[3].write_bytes(first)
    report = _checked(parts[0])
    assert report.wanted == ("demo.tar.gz.001", "demo.tar.gz.003")
    assert report.findings[1].what == "has the bytes of demo.tar.gz.003"


def test_a_part_of_an_older_run_is_found(parts: tuple[Path, ...], tmp_path: Path) -> None:
    older = _written(tmp_path / "older", seed=2)
    parts[2].write_bytes(older[2].read_bytes())
    assert _checked(parts[0]).wanted == ("demo.tar.gz.002",)


def test_a_part_beyond_the_set_is_no_part_of_it(parts: tuple[Path, ...]) -> None:
    parts[0].with_name("demo.tar.gz.006").write_bytes(b"left by an older run")
    assert len(_checked(parts[0]).findings) == 6


def test_without_sums_only_sizes_and_gaps_tell(parts: tuple[Path, ...], tmp_path: Path) -> None:
    (tmp_path / "demo.tar.gz.parts.sha256").unlink()
    parts[2].write_bytes(b"short")
    parts[3].unlink()
    report = _checked(parts[0])
    assert _states(report) == ["unchecked", "unchecked", "damaged", "missing", "unchecked", "unchecked"]
    assert report.findings[2].what == "has 5 bytes, the others 1000"
    assert report.wanted == ("demo.tar.gz.002", "demo.tar.gz.003", "demo.tar.gz.parts.sha256")


def test_a_list_that_is_missing_is_to_be_brought(parts: tuple[Path, ...], tmp_path: Path) -> None:
    (tmp_path / "demo.tar.gz.parts.sha256").unlink()
    with pytest.raises(IntegrityError) as caught:
        require_parts(_checked(parts[0]))
    assert caught.value.id is ErrorId.BUNDLE_INCOMPLETE
    assert caught.value.got == "demo.tar.gz.parts.sha256 missing"


def test_a_thousand_flipped_bits_are_found_and_named(parts: tuple[Path, ...]) -> None:
    chance = random.Random(16)
    for _ in range(1000):
        path = chance.choice(parts)
        data = bytearray(whole := path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        assert _checked(parts[0]).wanted == (path.name,)
        path.write_bytes(whole)
