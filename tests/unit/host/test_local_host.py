"""Files of this very host: replaced in one step, with the mode that they are to have."""

from __future__ import annotations

import errno
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from bundler.durable import storage_error
from bundler.errors import StorageError
from bundler.host.local_host import LocalHost

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("mode", "expected"), [(None, 0o640), (0o600, 0o600)])
def test_a_file_that_is_replaced_keeps_its_mode_unless_another_is_wanted(
    tmp_path: Path, mode: int | None, expected: int
) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"old")
    file.chmod(0o640)
    LocalHost().write(str(file), b"new", mode)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", expected)


def test_a_new_file_is_everybody_s_to_read(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "file"
    before = os.umask(0o077)
    try:
        LocalHost().write(str(file), b"new")
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    host = LocalHost()
    with pytest.raises(StorageError):
        host.read(str(tmp_path))
    with pytest.raises(StorageError):
        host.write(str(tmp_path / "x" / ".." / ".."), b"")


def test_only_a_directory_that_holds_nothing_is_removed(tmp_path: Path) -> None:
    host = LocalHost()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_bytes(b"")
    for name in ("empty", "full", "full/file", "gone", "gone/below"):
        host.remove_directory(str(tmp_path / name))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full"]


@pytest.mark.parametrize("date", ["", "x", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"])
def test_a_date_that_no_clock_shows_is_none(date: str) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", date)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            del format, args

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        answer = LocalHost().http_get("127.0.0.1", server.server_port, "/", tls=False)
        thread.join()
    assert answer is not None
    assert (answer.status, answer.date) == (200, None)


@pytest.mark.parametrize(("number", "words"), [(errno.EBUSY, "mounted at this very path"), (errno.EROFS, "remount,rw")])
def test_a_mount_in_the_way_is_called_that(number: int, words: str) -> None:
    assert words in storage_error("/etc/hosts", OSError(number, os.strerror(number))).remedy
