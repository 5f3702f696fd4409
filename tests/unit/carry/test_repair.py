from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from bundler.archive.part_names import parity_names
from bundler.carry.parity_layout import BLOCK_BYTES
from bundler.errors import BundleFormatError, ErrorId, IntegrityError
from tests.unit.carry.carried import NAME, SECTOR, contents, mend, spoil, write_set

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Nine parts of 1 MiB, the last one short, and 20 % parity."""
    return write_set(tmp_path_factory.mktemp("set"), 9 * MIB - 12_345, MIB, 20)


@pytest.fixture
def there(tmp_path: Path, written: dict[str, bytes]) -> Path:
    """The same set, to be damaged."""
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_parity_lies_beside_parts_that_stay_as_they_are(written: dict[str, bytes], tmp_path: Path) -> None:
    index = json.loads(written[f"{NAME}.parity.json"])
    assert (index["data_rows"], index["parity_rows"], index["groups"]) == (144, 29, 1)
    parity = [file["name"] for file in index["parity"]]
    assert parity == list(parity_names(NAME, len(parity)))
    assert all(len(written[name]) <= MIB for name in parity)
    assert all(written[name].startswith(written[f"{NAME}.parity.json"]) for name in parity)
    plain = write_set(tmp_path, 9 * MIB - 12_345, MIB, 5)
    assert all(plain[name] == data for name, data in written.items() if name[-3:].isdigit())
    assert write_set(tmp_path, 9 * MIB - 12_345, MIB, 20) == written


def test_an_intact_set_stays_as_it_is(there: Path, written: dict[str, bytes]) -> None:
    report = mend(there)
    assert (report.plan.mendable, report.lists) == ((), ())
    assert contents(there) == written


@pytest.mark.parametrize("lost", range(9))
def test_one_lost_part_and_five_bad_sectors_in_another(there: Path, written: dict[str, bytes], lost: int) -> None:
    (there / f"{NAME}.{lost:03}").unlink()
    other = there / f"{NAME}.{(lost + 4) % 9:03}"
    for sector in random.Random(lost).sample(range(400), 5):
        spoil(other, sector * SECTOR)
    report = mend(there / f"{NAME}.000")
    assert sorted(file.name for file in report.plan.mendable) == sorted((f"{NAME}.{lost:03}", other.name))
    assert contents(there) == written


@pytest.mark.parametrize("named", [NAME, f"{NAME}.000", f"{NAME}.p01", f"{NAME}.parity.json", "."])
def test_any_file_names_the_set_there_or_not(there: Path, written: dict[str, bytes], named: str) -> None:
    (there / f"{NAME}.000").unlink()
    mend(there / named)
    assert contents(there) == written


def test_lost_parity_is_made_anew_as_well(there: Path, written: dict[str, bytes]) -> None:
    for name in (f"{NAME}.p00", f"{NAME}.parity.json", f"{NAME}.parts.sha256", f"{NAME}.sha256"):
        (there / name).unlink()
    spoil(there / f"{NAME}.003", 0, 5 * BLOCK_BYTES)
    report = mend(there)
    assert len(report.lists) == 3
    assert contents(there) == written


def test_too_many_losses_are_named_with_their_ranges(there: Path) -> None:
    for number in (1, 2):
        (there / f"{NAME}.{number:03}").unlink()
    spoil(there / f"{NAME}.005", 3 * BLOCK_BYTES, 2 * BLOCK_BYTES)
    before = contents(there)
    with pytest.raises(IntegrityError) as caught:
        mend(there)
    assert caught.value.id is ErrorId.BEYOND_REPAIR
    begin = 3 * BLOCK_BYTES
    assert f"{NAME}.001: missing" in caught.value.problems
    assert f"{NAME}.005: bytes {begin} to {begin + 2 * BLOCK_BYTES - 1}" in caught.value.problems
    assert contents(there) == before


def test_one_part_that_is_brought_again_helps_the_others(there: Path, written: dict[str, bytes]) -> None:
    for number in (1, 2, 3):
        (there / f"{NAME}.{number:03}").unlink()
    with pytest.raises(IntegrityError):
        mend(there)
    for number in (1, 3):
        (there / f"{NAME}.{number:03}").write_bytes(written[f"{NAME}.{number:03}"])
    mend(there)
    assert contents(there) == written


@pytest.mark.parametrize("change", ["short", "long", "empty"])
def test_a_part_of_another_length_is_mended(there: Path, written: dict[str, bytes], change: str) -> None:
    path = there / f"{NAME}.004"
    data = path.read_bytes()
    path.write_bytes({"short": data[:-100_000], "long": data + b"x", "empty": b""}[change])
    mend(there)
    assert contents(there) == written


def test_parts_that_changed_places_are_put_right(there: Path, written: dict[str, bytes]) -> None:
    first, second = (there / f"{NAME}.00{number}" for number in (2, 6))
    first.rename(there / "x")
    second.rename(first)
    with pytest.raises(IntegrityError):
        mend(there)  # two parts are more than 20 % of nine
    (there / "x").rename(second)
    first.write_bytes(written[first.name])
    mend(there)
    assert contents(there) == written


def test_mended_files_may_go_elsewhere(
    there: Path, written: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    into = tmp_path_factory.mktemp("into")
    spoil(there / f"{NAME}.004", 0)
    before = contents(there)
    mend(there, into)
    assert contents(there) == before
    assert contents(into) == {f"{NAME}.004": written[f"{NAME}.004"]}


def test_bad_sectors_in_every_copy_of_the_index(there: Path, written: dict[str, bytes]) -> None:
    for number, name in enumerate(sorted(name for name in written if ".p" in name and not name.endswith(".sha256"))):
        spoil(there / name, 2048 + number * 2048)
        spoil(there / name, 10_000, 10)
    (there / f"{NAME}.007").unlink()
    mend(there)
    assert contents(there) == written


def test_headers_that_are_gone_everywhere_end_it(there: Path, written: dict[str, bytes]) -> None:
    for name in written:
        if ".p" in name and not name.endswith(".sha256"):
            spoil(there / name, 0)
    with pytest.raises(BundleFormatError) as caught:
        mend(there)
    assert caught.value.id is ErrorId.PARITY_NOT_FOUND


def test_a_set_that_was_renamed_has_no_parity_of_its_own(there: Path) -> None:
    for path in [*there.iterdir()]:
        path.rename(path.with_name(path.name.replace("demo", "other")))
    with pytest.raises(BundleFormatError) as caught:
        mend(there)
    assert caught.value.id is ErrorId.PARITY_NOT_FOUND


def test_without_parity_nothing_can_be_mended(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.000").write_bytes(b"x")
    with pytest.raises(BundleFormatError) as caught:
        mend(tmp_path)
    assert caught.value.id is ErrorId.PARITY_NOT_FOUND


def test_a_parity_file_of_another_run_does_no_harm(
    there: Path, written: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    older = write_set(tmp_path_factory.mktemp("older"), 9 * MIB, MIB, 20, seed=2)
    (there / f"{NAME}.p01").write_bytes(older[f"{NAME}.p01"])
    mend(there)
    assert contents(there) == written


def test_the_parity_of_another_archive_is_told(there: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    older = write_set(tmp_path_factory.mktemp("older"), 9 * MIB, MIB, 20, seed=2)
    for name, data in older.items():
        if ".p" in name and not name.endswith(".sha256"):
            (there / name).write_bytes(data)
    with pytest.raises(BundleFormatError) as caught:
        mend(there)
    assert caught.value.id is ErrorId.PARITY_NOT_FOUND


@pytest.mark.parametrize("size", [1, 70_000, 30 * MIB + 7])
def test_a_whole_archive_is_one_data_file(tmp_path: Path, size: int) -> None:
    whole = write_set(tmp_path, size, None, 10)
    assert sorted(whole) == [NAME, f"{NAME}.p00", f"{NAME}.parity.json", f"{NAME}.sha256"]
    chance = random.Random(size)
    # of what fits in one block all sectors, of more a dozen somewhere
    for sector in range(min(size // SECTOR, 12)) if size < MIB else chance.sample(range(size // SECTOR), 12):
        spoil(tmp_path / NAME, sector * SECTOR)
    mend(tmp_path / NAME)
    assert contents(tmp_path) == whole


def test_several_groups_of_uneven_parts(tmp_path: Path) -> None:
    whole = write_set(tmp_path, 33 * MIB + 4711, 1_500_001, 12)
    index = json.loads(whole[f"{NAME}.parity.json"])
    assert index["groups"] > 1
    (tmp_path / f"{NAME}.011").unlink()
    (tmp_path / f"{NAME}.p00").unlink()
    for sector in random.Random(3).sample(range(700), 8):
        spoil(tmp_path / f"{NAME}.003", sector * SECTOR)
    mend(tmp_path)
    assert contents(tmp_path) == whole


def test_flipped_bits_anywhere_are_mended(there: Path, written: dict[str, bytes]) -> None:
    chance = random.Random(16)
    names = sorted(written)
    for _ in range(4):
        spoiled = [chance.choice(names) for _ in range(25)]
        for name in spoiled:
            spoil(there / name, chance.randrange(len(written[name])), 1)
        mend(there)
        assert contents(there) == written
