"""An archive from a pipe, whose writer may stop, never begin, or be nobody."""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_files import ArchiveFiles
from bundler.archive.archive_pipe import ArchivePipe
from bundler.archive.archive_reader import open_archive
from bundler.archive.verify import verify_bundle
from bundler.errors import IntegrityError, StorageError
from bundler.model.progress import Unwatched
from bundler.source.open_source import require_id
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITHIN_S = 60


@pytest.fixture
def ends() -> Iterator[list[int]]:
    """A pipe: where it is read, and where it is written to."""
    found = list(os.pipe())
    yield found
    for end in found:
        with suppress(OSError):
            os.close(end)


def piped(descriptor: int) -> ArchiveFiles:
    return ArchiveFiles("standard input", (), pipe=ArchivePipe(descriptor, "standard input"))


def _write(descriptor: int, data: bytes) -> None:
    """Write it piece by piece, as far as somebody reads."""
    rest = memoryview(data)
    with suppress(BrokenPipeError):
        while rest:
            rest = rest[os.write(descriptor, rest[:1000]) :]


def test_what_is_refused_waits_for_no_more(tmp_path: Path, ends: list[int]) -> None:
    sample(tmp_path, {"kubeedge/big": random.Random(3).randbytes(4_000_000)}).write(tmp_path / "demo.tar.gz")
    begin = (tmp_path / "demo.tar.gz").read_bytes()[:2_000_000]
    writer = threading.Thread(target=_write, args=(ends[1], begin), daemon=True)
    writer.start()
    errors: list[BaseException] = []

    def refused() -> None:
        try:
            with open_archive(piped(ends[0])) as reader:
                require_id(reader.checked, "0" * 12)
        except IntegrityError as error:
            errors.append(error)

    # the writer is there and says nothing more
    thread = threading.Thread(target=refused, daemon=True)
    thread.start()
    thread.join(WITHIN_S)
    assert not thread.is_alive()
    assert len(errors) == 1
    # nobody reads any more: it ends, before another pipe gets the number that it writes to
    os.close(ends.pop(0))
    writer.join()


def test_a_pipe_that_does_not_block_is_waited_for(tmp_path: Path, ends: list[int]) -> None:
    sample(tmp_path).write(tmp_path / "demo.tar.gz")
    os.set_blocking(ends[0], False)

    def write() -> None:
        _write(ends[1], (tmp_path / "demo.tar.gz").read_bytes())
        os.close(ends[1])

    thread = threading.Thread(target=write)
    thread.start()
    assert verify_bundle(piped(ends[0]), Unwatched()).intact
    thread.join()


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(StorageError, match="standard input"):
            verify_bundle(piped(descriptor), Unwatched())
    finally:
        os.close(descriptor)
