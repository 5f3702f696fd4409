"""Files that only the supervisor may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.settings import Settings, TlsFiles
from mirror.supervisor.key_files import MAX_PEM_BYTES, read_key_files
from mirror.worker.control import KeyFiles
from mirror.worker.users import MAX_USERS_BYTES


def test_nothing_is_read_that_nobody_named() -> None:
    assert read_key_files(Settings(Path("/opt"))) == KeyFiles()


def test_bytes_as_they_are(tmp_path: Path) -> None:
    for name in ("users", "certificate", "key"):
        (tmp_path / name).write_text(f"{name}\n")
    settings = Settings(
        Path("/opt"), users=tmp_path / "users", tls=TlsFiles(tmp_path / "certificate", tmp_path / "key")
    )  # fmt: skip
    assert read_key_files(settings) == KeyFiles(users=b"users\n", certificate=b"certificate\n", key=b"key\n")


@pytest.mark.parametrize("fault", ["absent", "a directory", "too large", "a pipe"])
def test_what_cannot_be_read_names_the_file_and_the_flag(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "users"
    match fault:
        case "a directory":
            path.mkdir()
        case "too large":
            with path.open("wb") as stream:
                stream.truncate(max(MAX_USERS_BYTES, MAX_PEM_BYTES) + 1)
        case "absent":
            pass
        case _:
            # nobody will ever write into it
            os.mkfifo(path)
    settings = Settings(Path("/opt"), users=path)
    if fault == "a pipe":
        assert read_key_files(settings).users == b""
        return
    with pytest.raises(ServeError) as caught:
        read_key_files(settings)
    assert caught.value.id is ErrorId.SERVE_USERS_INVALID
    assert str(path) in caught.value.text()
    assert "--users" in caught.value.text()
