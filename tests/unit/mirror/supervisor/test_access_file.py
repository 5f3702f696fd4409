"""The access log as the supervisor opens it for the workers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, StorageError
from mirror.supervisor.access_file import open_access_log

if TYPE_CHECKING:
    from pathlib import Path


def test_an_access_log_is_appended_to_and_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    for text in (b"one\n", b"two\n"):
        descriptor = open_access_log(path)
        assert descriptor is not None
        os.write(descriptor, text)
        assert not os.get_inheritable(descriptor)
        os.close(descriptor)
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o007 == 0


def test_nobody_wants_a_log() -> None:
    assert open_access_log(None) is None


def test_a_dash_is_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    descriptor = open_access_log("-")
    assert descriptor not in (None, 1)
    os.write(descriptor or -1, b"a line\n")
    os.close(descriptor or -1)
    assert capfd.readouterr().out == "a line\n"


@pytest.mark.parametrize("fault", ["no directory", "a directory", "a pipe that nobody reads"])
def test_a_log_that_cannot_be_written_names_the_file(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "access.log"
    match fault:
        case "no directory":
            path = tmp_path / "absent" / "access.log"
        case "a directory":
            path.mkdir()
        case _:
            os.mkfifo(path)
    with pytest.raises(StorageError) as caught:
        open_access_log(path)
    assert caught.value.id is ErrorId.STORAGE_UNUSABLE
    assert caught.value.where == str(path)
