"""Files that only the supervisor may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.errors import ErrorId, ServeError, StorageError
from mirror.settings import Settings, TlsFiles
from mirror.supervisor.key_files import MAX_PEM_BYTES, read_key_files
from mirror.worker.control import KeyFiles
from mirror.worker.users import MAX_USERS_BYTES


def test_nothing_is_read_that_nobody_named() -> None:
    assert read_key_files(Settings(Path("/opt"))) == KeyFiles()


def test_bytes_as_they_are(tmp_path: Path) -> None:
    for name in ("users", "certificate", "key"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "key").chmod(0o640)
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


@pytest.mark.parametrize(("name", "mode"), [("users", 0o666), ("certificate", 0o646), ("key", 0o644), ("key", 0o660)])
def test_what_others_could_have_written_is_refused_and_a_key_that_they_could_read(
    tmp_path: Path, name: str, mode: int
) -> None:
    for each in ("users", "certificate", "key"):
        (tmp_path / each).write_text(each)
        (tmp_path / each).chmod(0o600)
    (tmp_path / name).chmod(mode)
    tls = TlsFiles(tmp_path / "certificate", tmp_path / "key")
    with pytest.raises(StorageError) as refused:
        read_key_files(Settings(Path("/opt"), users=tmp_path / "users", tls=tls))
    assert refused.value.id is ErrorId.PERMISSIONS_TOO_OPEN
    assert refused.value.where == str(tmp_path / name)


def test_a_certificate_that_holds_its_key_is_a_key(tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.write_text("both")
    both.chmod(0o644)
    with pytest.raises(StorageError, match="private key"):
        read_key_files(Settings(Path("/opt"), tls=TlsFiles(both, both)))
