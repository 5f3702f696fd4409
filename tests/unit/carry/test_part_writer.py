from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_output import one_file
from bundler.archive.verify import verify_archive
from bundler.carry.part_writer import parts_output
from bundler.errors import StorageError
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched
from tests.unit.archive.bundles import files_below, sample

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.archive_output import OpenOutput

PART = 100_000


def _never() -> None:
    raise AssertionError("nobody writes it")


def _write(out: Path, data: bytes, open_output: OpenOutput, *, pieces: int = 7) -> tuple[Path, ...]:
    step = max(1, len(data) // pieces)
    with open_output(out, _never) as output:
        for at in range(0, len(data), step):
            piece = memoryview(data)[at : at + step]
            assert output.write_all([piece[:10], piece[10:10], piece[10:]]) == len(piece)
        return output.commit(Blob(Digest.sha256(data), len(data)))


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 3 * PART, 1_000_003])
def test_parts_are_byte_ranges_with_their_sums(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    paths = _write(tmp_path / "demo.tar.gz", data, parts_output(PART))
    assert [path.name for path in paths] == [f"demo.tar.gz.{number:03}" for number in range(-(-size // PART))]
    assert b"".join(path.read_bytes() for path in paths) == data
    assert {len(path.read_bytes()) for path in paths[:-1]} <= {PART}
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths]
    assert (tmp_path / "demo.tar.gz.parts.sha256").read_text() == "".join(lines)
    assert (tmp_path / "demo.tar.gz.sha256").read_text() == f"{hashlib.sha256(data).hexdigest()}  demo.tar.gz\n"
    assert len(files_below(tmp_path)) == len(paths) + 2


def test_numbers_grow_together(tmp_path: Path) -> None:
    paths = _write(tmp_path / "demo.tar.gz", bytes(2002), parts_output(2), pieces=3)
    assert (paths[0].name, paths[-1].name) == ("demo.tar.gz.0000", "demo.tar.gz.1000")
    assert len(files_below(tmp_path)) == 1001 + 2


def test_an_archive_is_written_in_parts(tmp_path: Path) -> None:
    made = sample(tmp_path, {"random": random.Random(3).randbytes(220_000)})
    written = made.write(tmp_path / "demo.tar.gz", open_output=parts_output(PART))
    assert verify_archive(written.files[0], Unwatched()).intact
    whole = made.write(tmp_path / "other.tar.gz")
    assert b"".join(path.read_bytes() for path in written.files) == whole.path.read_bytes()
    assert written.blob == whole.blob


def test_a_smaller_set_leaves_no_part_of_the_larger_one(tmp_path: Path) -> None:
    out = tmp_path / "demo.tar.gz"
    _write(out, bytes(10 * PART), parts_output(PART))
    (tmp_path / "demo.tar.gz.p00").write_bytes(b"parity of the older one")
    (tmp_path / "demo.tar.gz.parity.json").write_bytes(b"{}")
    (tmp_path / "other.tar.gz.007").write_bytes(b"somebody else's")
    _write(out, b"new" * PART, parts_output(PART))
    numbers = [f"demo.tar.gz.00{number}" for number in range(3)]
    others = ["demo.tar.gz.parts.sha256", "demo.tar.gz.sha256", "other.tar.gz.007"]
    assert sorted(files_below(tmp_path)) == [*numbers, *others]


def test_one_file_takes_the_place_of_parts_and_parts_of_one_file(tmp_path: Path) -> None:
    out = tmp_path / "demo.tar.gz"
    _write(out, bytes(3 * PART), parts_output(PART))
    assert _write(out, b"whole", one_file) == (out,)
    assert sorted(files_below(tmp_path)) == ["demo.tar.gz", "demo.tar.gz.sha256"]
    _write(out, bytes(PART), parts_output(PART))
    assert sorted(files_below(tmp_path)) == ["demo.tar.gz.000", "demo.tar.gz.parts.sha256", "demo.tar.gz.sha256"]


def test_until_the_last_part_is_written_the_older_set_stays(tmp_path: Path) -> None:
    out = tmp_path / "demo.tar.gz"
    _write(out, b"old" * PART, parts_output(PART))
    before = files_below(tmp_path)
    with parts_output(PART)(out, _never) as output:
        output.write_all([bytes(5 * PART // 2)])
    assert files_below(tmp_path) == before


def test_a_part_that_cannot_be_written_leaves_the_older_set(tmp_path: Path) -> None:
    out = tmp_path / "demo.tar.gz"
    _write(out, b"old" * PART, parts_output(PART))
    before = files_below(tmp_path)
    with parts_output(PART)(out, _never) as output:
        (tmp_path / ".demo.tar.gz.001.partial").mkdir()
        with pytest.raises(StorageError):
            output.write_all([bytes(5 * PART // 2)])
    (tmp_path / ".demo.tar.gz.001.partial").rmdir()
    assert files_below(tmp_path) == before


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path) -> None:
    for name in (".demo.tar.gz.partial", ".demo.tar.gz.000.partial", ".demo.tar.gz.p00.partial"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".demo.tar.gz.x.partial").write_bytes(b"somebody else's")
    _write(tmp_path / "demo.tar.gz", b"whole", one_file)
    assert sorted(files_below(tmp_path)) == [".demo.tar.gz.x.partial", "demo.tar.gz", "demo.tar.gz.sha256"]


def test_pieces_may_change_once_they_are_written(tmp_path: Path) -> None:
    buffer = bytearray(b"a" * 50_000)
    with parts_output(PART)(tmp_path / "demo.tar.gz", _never) as output:
        output.write_all([memoryview(buffer)])
        buffer[:] = b"b" * 50_000
        output.write_all([memoryview(buffer)])
        paths = output.commit(Blob(Digest.sha256(b""), PART))
    want = hashlib.sha256(b"a" * 50_000 + b"b" * 50_000).hexdigest()
    assert (tmp_path / "demo.tar.gz.parts.sha256").read_text().startswith(want)
    assert paths[0].read_bytes()[50_000:] == b"b" * 50_000
