from __future__ import annotations

import fcntl
import gzip
import hashlib
import random
import threading
import zlib
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_output import sums_line
from bundler.archive.gzip_block import MEMBER_BYTES
from bundler.archive.tar_stream import StoredBlobError
from bundler.archive.writer import write_archive
from bundler.errors import ErrorId, StorageError
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched
from tests.fakes.progress import RecordingTask
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    import os
    from pathlib import Path

# The archive's format is forever: this digest changes only together with the format's version.
GOLDEN = "f3d979096787c60f8bfbd95edd897adeb405d8d058001b92c0e37b1481e507b5"
LARGE = {
    "a/random": random.Random(2).randbytes(3 * MEMBER_BYTES + 17),
    "a/text": b"one line of text after another\n" * 200_000,
    **{f"small/{number:03}": b"%d" % number for number in range(300)},
}


def test_the_archive_of_a_fixed_bundle_is_the_same_forever(tmp_path: Path) -> None:
    written = sample(tmp_path).write(tmp_path / "demo.tar.gz")
    assert written.blob.digest.hex == GOLDEN


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_nothing(tmp_path: Path, threads: int) -> None:
    usual = sample(tmp_path, LARGE).write(tmp_path / "usual.tar.gz")
    other = sample(tmp_path, LARGE).write(tmp_path / "other.tar.gz", threads=threads)
    assert other.blob == usual.blob


def test_what_is_returned_is_the_file_that_lies_there(tmp_path: Path) -> None:
    written = sample(tmp_path, LARGE).write(tmp_path / "demo.tar.gz")
    assert Blob.of(written.path.read_bytes()) == written.blob
    line = (tmp_path / "demo.tar.gz.sha256").read_text()
    assert line == f"{written.blob.digest.hex}  demo.tar.gz\n"
    assert len(gzip.decompress(written.path.read_bytes())) % 10240 == 0


def test_nothing_else_is_left_in_the_directory(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    sample(tmp_path).write(out / "demo.tar.gz")
    assert sorted(path.name for path in out.iterdir()) == ["demo.tar.gz", "demo.tar.gz.sha256"]


def test_a_partial_file_of_a_killed_run_is_taken_over(tmp_path: Path) -> None:
    partial = tmp_path / ".demo.tar.gz.partial"
    partial.write_bytes(b"left over" * 100_000)
    written = sample(tmp_path).write(tmp_path / "demo.tar.gz")
    assert written.blob.digest.hex == GOLDEN
    assert not partial.exists()


@pytest.mark.parametrize(
    ("damage", "got"),
    [
        (lambda data: data[:-1] + b"?", "sha256:"),
        (lambda data: data[:-1], "69999 bytes"),
        (lambda data: data + b"?", "70001 bytes"),
    ],
)
def test_a_damaged_entry_of_the_store_is_named_and_nothing_is_left(tmp_path: Path, damage: object, got: str) -> None:
    assert callable(damage)
    made = sample(tmp_path)
    blob = next(file.blob for file in made.bundle.files if file.path == "kubeedge/random.tar.gz")
    made.store.blobs[blob.digest] = damage(made.store.blobs[blob.digest])
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(StoredBlobError) as caught:
        write_archive(made.bundle.files, store_path=made.store.path, out=out / "demo.tar.gz", task=Unwatched())
    assert caught.value.blob == blob
    assert caught.value.got.startswith(got)
    assert list(out.iterdir()) == []


def test_an_entry_that_is_gone_is_named_too(tmp_path: Path) -> None:
    made = sample(tmp_path)

    def nowhere(blob: Blob) -> Path:
        return tmp_path / "gone" / blob.digest.hex

    with pytest.raises(StoredBlobError) as caught:
        write_archive(made.bundle.files, store_path=nowhere, out=tmp_path / "demo.tar.gz", task=Unwatched())
    assert caught.value.got == "no file"


def test_a_failure_leaves_the_older_archive_as_it_was(tmp_path: Path) -> None:
    made = sample(tmp_path)
    older = made.write(tmp_path / "demo.tar.gz")
    made.store.blobs = dict.fromkeys(made.store.blobs, b"")
    with pytest.raises(StoredBlobError):
        write_archive(made.bundle.files, store_path=made.store.path, out=older.path, task=Unwatched())
    assert Blob.of(older.path.read_bytes()) == older.blob
    assert older.blob.digest.hex in (tmp_path / "demo.tar.gz.sha256").read_text()
    assert not list(tmp_path.glob(".*partial"))


class InterruptingTask(Unwatched):
    """Ctrl-C at the first block that is written."""

    def advance(self, count: int) -> None:
        raise KeyboardInterrupt(count)


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    made = sample(tmp_path, LARGE)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(KeyboardInterrupt):
        write_archive(made.bundle.files, store_path=made.store.path, out=out / "x.tar.gz", task=InterruptingTask())
    assert list(out.iterdir()) == []


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    made = sample(tmp_path)
    with pytest.raises(StorageError) as caught:
        made.write(tmp_path / "absent" / "demo.tar.gz")
    assert caught.value.id is ErrorId.STORAGE_UNUSABLE
    assert "absent" in caught.value.where


class WaitingTask(RecordingTask):
    """Tells when a line is noted."""

    noted = threading.Event()

    def note(self, text: str) -> None:
        super().note(text)
        self.noted.set()


def test_two_builds_of_one_archive_wait_for_each_other(tmp_path: Path) -> None:
    made = sample(tmp_path)
    out = tmp_path / "demo.tar.gz"
    partial = tmp_path / ".demo.tar.gz.partial"
    task = WaitingTask()
    with partial.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        build = threading.Thread(
            target=write_archive,
            args=(made.bundle.files,),
            kwargs={"store_path": made.store.path, "out": out, "task": task},
        )
        build.start()
        assert task.noted.wait(30)
        other.write(b"the other build's bytes")
        other.flush()
        partial.rename(out)
    build.join()
    assert "waiting for another process" in task.notes[0]
    assert hashlib.sha256(out.read_bytes()).hexdigest() == GOLDEN


def test_dates_can_be_capped(tmp_path: Path) -> None:
    plain = sample(tmp_path).write(tmp_path / "plain.tar.gz")
    capped = sample(tmp_path).write(tmp_path / "capped.tar.gz", source_date_epoch=1_000_000_000)
    assert plain.blob != capped.blob


def test_a_line_of_sums_escapes_names_as_sha256sum_does() -> None:
    digest = Digest.sha256(b"")
    assert sums_line(digest, "a b.tar.gz") == f"{digest.hex}  a b.tar.gz\n".encode()
    assert sums_line(digest, "a\\b\nc") == f"\\{digest.hex}  a\\\\b\\nc\n".encode()


class Remembering:
    """A checksum cache in memory."""

    def __init__(self) -> None:
        self.known: dict[Blob, int] = {}

    def crc32(self, blob: Blob, status: os.stat_result) -> int | None:
        """Know a blob whatever its file."""
        assert status.st_size == blob.size
        return self.known.get(blob)

    def record(self, blob: Blob, status: os.stat_result, crc32: int) -> None:
        """Keep it."""
        assert status.st_size == blob.size
        self.known[blob] = crc32


def test_a_recorded_file_is_checked_by_its_crc32(tmp_path: Path) -> None:
    made = sample(tmp_path)
    checksums = Remembering()
    first = made.write(tmp_path / "first.tar.gz", checksums=checksums)
    assert checksums.known == {blob: zlib.crc32(made.store.read(blob)) for blob in checksums.known}
    assert checksums.known
    assert made.write(tmp_path / "second.tar.gz", checksums=checksums).blob == first.blob
    wrong = max(checksums.known)
    checksums.known[wrong] ^= 1
    with pytest.raises(StoredBlobError) as caught:
        made.write(tmp_path / "third.tar.gz", checksums=checksums)
    assert caught.value.blob == wrong
    assert not (tmp_path / "third.tar.gz").exists()
