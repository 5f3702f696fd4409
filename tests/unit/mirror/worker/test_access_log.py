from __future__ import annotations

import fcntl
import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.worker.access_log import AccessLog, Transfer, combined_line, json_line

if TYPE_CHECKING:
    from pathlib import Path

    from mirror.settings import LogFormat

PLAIN = Transfer(
    protocol="http",
    time_s=1_700_000_000.25,
    remote="10.0.0.7",
    user="ann",
    bundle="0123456789ab",
    method="GET",
    path="/yum/repodata/repomd.xml",
    range="0-99",
    status=206,
    sent_bytes=100,
    complete=True,
    referer="http://master:8088/",
    agent="libdnf (CentOS 7)",
)
_COMBINED = re.compile(
    r'\S+ - \S+ \[[^]]+\] "([^"\\]|\\x[0-9a-f]{2})*" -?\d+ \d+ "([^"\\]|\\x[0-9a-f]{2})*" "([^"\\]|\\x[0-9a-f]{2})*" '
    r"bundle=\S+ range=\S+ (complete|cut)\n"
)


def test_the_combined_form() -> None:
    assert combined_line(PLAIN) == (
        '10.0.0.7 - ann [14/Nov/2023:22:13:20 +0000] "GET /yum/repodata/repomd.xml http" 206 100 '
        '"http://master:8088/" "libdnf (CentOS 7)" bundle=0123456789ab range=0-99 complete\n'
    )
    bare = PLAIN._replace(user="", bundle="", range="", complete=False, referer="", agent="", protocol="ftp")
    assert combined_line(bare) == (
        '10.0.0.7 - - [14/Nov/2023:22:13:20 +0000] "GET /yum/repodata/repomd.xml ftp" 206 100 '
        '"-" "-" bundle=- range=- cut\n'
    )


def test_the_json_form() -> None:
    assert json_line(PLAIN) == (
        '{"time": "2023-11-14T22:13:20.250Z", "protocol": "http", "remote": "10.0.0.7", "user": "ann", '
        '"bundle": "0123456789ab", "method": "GET", "path": "/yum/repodata/repomd.xml", "range": "0-99", '
        '"status": 206, "bytes": 100, "complete": true, "referer": "http://master:8088/", '
        '"agent": "libdnf (CentOS 7)"}\n'
    )


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ('a"b', r"a\x22b"),
        ("a\\b", r"a\x5cb"),
        ("a\r\nb", r"a\x0d\x0ab"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x7f\x00", r"\x7f\x00"),
        ("\udce9", r"\xe9"),
        ("\ud800", r"\xed\xa0\x80"),
        ("\u202e", r"\xe2\x80\xae"),
        ("维护 ok", "维护 ok"),
    ],
)
def test_a_clients_text_breaks_neither_a_line_nor_a_terminal(given: str, shown: str) -> None:
    line = combined_line(PLAIN._replace(path=given, agent=given))
    assert f'"GET {shown} http"' in line
    assert f'"{shown}" bundle=' in line


ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=40)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_whatever_a_client_says_there_is_one_line_with_the_same_fields(
    user: str, path: str, agent: str, ranged: str
) -> None:
    hostile = PLAIN._replace(user=user, path=path, agent=agent, referer=agent, method=path, range=ranged)
    line = combined_line(hostile)
    assert _COMBINED.fullmatch(line), line
    assert line.count("\n") == 1
    text = json_line(hostile)
    assert text.isascii()
    assert text.count("\n") == 1
    read = json.loads(text)
    assert (read["user"], read["path"], read["agent"], read["range"]) == (user, path, agent, ranged)


def test_long_texts_are_cut() -> None:
    long = PLAIN._replace(path="/" + "x" * 10**6, user="u" * 10**6, agent="a" * 10**6, range="9" * 10**6)
    assert len(combined_line(long)) < 10_000
    assert len(json_line(long)) < 10_000


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


@pytest.mark.parametrize("form", ["combined", "json"])
def test_lines_are_gathered_and_written_with_a_flush_or_when_there_are_many(tmp_path: Path, form: LogFormat) -> None:
    path = tmp_path / "log"
    log = AccessLog(_opened(path), form)
    assert log.wanted
    log.add(PLAIN)
    assert path.read_bytes() == b""
    log.flush()
    one = path.read_bytes()
    assert one.count(b"\n") == 1
    log.flush()
    assert path.read_bytes() == one
    for _ in range(1000):
        log.add(PLAIN)
    assert path.stat().st_size > 60_000
    log.flush()
    assert path.read_bytes() == one * 1001


def test_a_reopened_log_goes_on_in_the_new_file(tmp_path: Path) -> None:
    first = _opened(tmp_path / "log.1")
    log = AccessLog(first, "json")
    log.add(PLAIN._replace(path="/old"))
    log.reopen(_opened(tmp_path / "log"))
    log.add(PLAIN._replace(path="/new"))
    log.flush()
    assert json.loads((tmp_path / "log.1").read_bytes())["path"] == "/old"
    assert json.loads((tmp_path / "log").read_bytes())["path"] == "/new"
    with pytest.raises(OSError, match="Bad file descriptor"):
        fcntl.fcntl(first, fcntl.F_GETFD)


def test_without_a_file_nothing_is_kept() -> None:
    log = AccessLog(None, "combined")
    assert not log.wanted
    log.add(PLAIN)
    log.flush()
    assert not log._gathered


def test_a_closed_pipe_and_a_full_disk_stop_nothing() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    for descriptor in (write_end, os.open("/dev/full", os.O_WRONLY)):
        log = AccessLog(descriptor, "combined")
        log.add(PLAIN)
        log.flush()
        assert not log._gathered
        os.close(descriptor)


def test_a_pipe_that_nobody_reads_blocks_nobody_and_keeps_whole_lines() -> None:
    read_end, write_end = os.pipe()
    log = AccessLog(write_end, "json")
    for number in range(5000):
        log.add(PLAIN._replace(status=number))
    log.flush()
    with os.fdopen(read_end, "rb") as reader:
        os.set_blocking(read_end, False)
        read = reader.read() or b""
        log.flush()
        read += reader.read() or b""
        numbers = [json.loads(line)["status"] for line in read.splitlines()]
    assert numbers == sorted(set(numbers))
    assert numbers[:50] == list(range(50))
    assert len(numbers) < 5000
    os.close(write_end)


def test_a_torn_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = AccessLog(_opened(path), "json")
    log._torn = True
    path.write_bytes(b'{"time": "20')
    log.add(PLAIN)
    log.flush()
    assert path.read_text() == '{"time": "20\n' + json_line(PLAIN)


def test_lines_that_are_lost_are_counted_and_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    lost: list[int] = []
    log = AccessLog(os.open("/dev/full", os.O_WRONLY), "json", lost.append)
    for count in (3, 2):
        for _ in range(count):
            log.add(PLAIN)
        # /dev/full is no regular file: what a pipe takes at once goes out at once
        log.flush()
    assert sum(lost) == 5
    told = capsys.readouterr().err
    assert told.count("of the access log are lost: No space left on device") == 1


def test_lines_that_a_slow_reader_has_no_room_for_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    lost: list[int] = []
    read_end, write_end = os.pipe()
    log = AccessLog(write_end, "json", lost.append)
    size = len(json_line(PLAIN))
    total = 400_000 // size
    for _ in range(total):
        log.add(PLAIN)
    os.set_blocking(read_end, False)
    written = b""
    while True:
        log.flush()
        try:
            written += os.read(read_end, 1 << 20)
        except BlockingIOError:
            break
    assert sum(lost) > 0
    assert written.count(b"\n") + sum(lost) == total
    assert "its reader is too slow" in capsys.readouterr().err
    os.close(read_end)
    os.close(write_end)
