"""Files that are not as they were checked: reported once, hashed again in the thread, served again when they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mirror.shared.counters import Field
from mirror.tree.open_file import open_to_send
from mirror.tree.opening import NotTheCheckedFileError, open_checked
from mirror.worker.rechecking import Rechecks
from tests.fakes.ftp_control import HandThread
from tests.unit.mirror.bundle_tree import file_at, write_bundle
from tests.unit.mirror.ftp.in_process import worker_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.served import File
    from mirror.worker.worker import Worker


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with worker_on(write_bundle(tmp_path, {"file": b"listed"})) as (worker, _):
        yield worker


@pytest.fixture
def thread() -> HandThread:
    return HandThread()


@pytest.fixture
def rechecks(worker: Worker, thread: HandThread) -> Rechecks:
    return Rechecks(worker, thread)


def fail(rechecks: Rechecks, file: File) -> list[File | None]:
    """Try to open a file that is not the checked one, and have it looked at again; return what that comes to."""
    found: list[File | None] = []
    with pytest.raises(NotTheCheckedFileError) as failed:
        open_checked(file)
    rechecks.recheck(file, failed.value, found.append)
    return found


def test_a_file_that_only_has_another_identity_is_served_again(
    worker: Worker, thread: HandThread, rechecks: Rechecks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.utime(tmp_path / "file", (1, 1))
    first = fail(rechecks, file_at(worker.serving.site, "file"))
    # whoever asks meanwhile begins nothing, and is told as well
    second = fail(rechecks, file_at(worker.serving.site, "file"))
    assert (len(thread.waiting), first, second) == (1, [], [])
    thread.work()
    assert first == second == [file_at(worker.serving.site, "file")]
    os.close(open_checked(file_at(worker.serving.site, "file")))
    assert worker.slot.get(Field.FAULTS) == 0
    assert capsys.readouterr().err == ""


def test_a_file_with_other_bytes_is_refused_and_reported_once(
    worker: Worker, thread: HandThread, rechecks: Rechecks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"LISTED")
    file = file_at(worker.serving.site, "file")
    for _ in range(2):
        found = fail(rechecks, file)
        thread.work()
        assert found == [None]
    assert worker.slot.get(Field.FAULTS) == 1
    reported = capsys.readouterr().err
    assert reported == f"mirror: {file.bundle}/file is not served: has changed since it was checked\n"
    (tmp_path / "file").write_bytes(b"listed")
    fail(rechecks, file)
    thread.work()
    assert worker.slot.get(Field.FAULTS) == 0
    assert capsys.readouterr().err == f"mirror: {file.bundle}/file is as listed again, and is served\n"


def test_a_file_that_is_absent_needs_no_second_look(
    worker: Worker, thread: HandThread, rechecks: Rechecks, tmp_path: Path
) -> None:
    (tmp_path / "file").unlink()
    fail(rechecks, file_at(worker.serving.site, "file"))
    assert thread.waiting == []
    assert worker.slot.get(Field.FAULTS) == 1


def test_a_process_without_descriptors_says_nothing_of_the_file(
    worker: Worker, thread: HandThread, rechecks: Rechecks
) -> None:
    file = file_at(worker.serving.site, "file")
    rechecks.recheck(file, NotTheCheckedFileError(file, "Too many open files", is_passing=True))
    assert thread.waiting == []
    assert worker.slot.get(Field.FAULTS) == 0


def test_what_was_found_out_for_an_old_snapshot_is_not_counted_in_the_new_one(
    worker: Worker, thread: HandThread, rechecks: Rechecks, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"LISTED")
    fail(rechecks, file_at(worker.serving.site, "file"))
    (tmp_path / "file").write_bytes(b"listed")
    worker.take_over(worker.loader.load(worker.serving.key_files, 2))
    (tmp_path / "file").write_bytes(b"LISTED")
    thread.work()
    assert worker.slot.get(Field.FAULTS) == 0


def test_a_file_that_was_repaired_is_served_again_without_being_asked_for(
    worker: Worker, thread: HandThread, rechecks: Rechecks, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"LISTED")
    fail(rechecks, file_at(worker.serving.site, "file"))
    thread.work()
    rechecks.sweep()
    assert thread.waiting == [], "what was found wrong is not hashed again and again"
    (tmp_path / "file").write_bytes(b"listed")
    rechecks.sweep()
    rechecks.sweep()
    assert len(thread.waiting) == 1
    thread.work()
    assert worker.slot.get(Field.FAULTS) == 0
    os.close(open_checked(file_at(worker.serving.site, "file")))


def test_a_file_that_was_missing_from_the_start_is_found_as_well(
    worker: Worker, thread: HandThread, tmp_path: Path
) -> None:
    (tmp_path / "file").unlink()
    worker.take_over(worker.loader.load(worker.serving.key_files, 2))
    rechecks = Rechecks(worker, thread)
    rechecks.sweep()
    assert thread.waiting == []
    assert worker.slot.get(Field.FAULTS) == 1
    (tmp_path / "file").write_bytes(b"listed")
    rechecks.sweep()
    thread.work()
    assert worker.slot.get(Field.FAULTS) == 0


def test_a_file_that_was_written_to_while_it_was_sent_is_refused_until_it_was_hashed(
    worker: Worker, thread: HandThread, rechecks: Rechecks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = open_to_send(file_at(worker.serving.site, "file"))
    with (tmp_path / "file").open("r+b") as stream:
        stream.write(b"LI")
    with pytest.raises(NotTheCheckedFileError) as changed:
        sent.read(0, 100, 6, to_end=True)
    sent.close()
    rechecks.spoiled(changed.value)
    assert worker.slot.get(Field.FAULTS) == 1
    assert "/file was written to while it was sent; the transfer is cut\n" in capsys.readouterr().err
    (tmp_path / "file").write_bytes(b"listed")
    thread.work()
    assert worker.slot.get(Field.FAULTS) == 0


def test_a_file_of_an_earlier_snapshot_is_no_fault_of_this_one(
    worker: Worker, thread: HandThread, rechecks: Rechecks, tmp_path: Path
) -> None:
    file = file_at(worker.serving.site, "file")
    write_bundle(tmp_path, {"file": b"another"})
    worker.take_over(worker.loader.load(worker.serving.key_files, 2))
    rechecks.spoiled(NotTheCheckedFileError(file, "was written to"))
    assert thread.waiting == []
    assert worker.slot.get(Field.FAULTS) == 0
