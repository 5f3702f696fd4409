"""A line for each request."""

from __future__ import annotations

from itertools import count

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.request_log import RequestLog


def logging() -> tuple[list[str], RequestLog]:
    lines: list[str] = []
    ticks = count(10.0, 0.25)
    return lines, RequestLog(lines.append, lambda: next(ticks))


def test_a_request_is_told_with_status_bytes_and_time() -> None:
    lines, log = logging()
    with log.request("GET", "https://host/file") as record:
        record.status = "200"
        record.received_bytes = 2048
    assert lines == ["GET https://host/file: 200, 2.0 KiB, 0.25 s"]


def test_a_failure_is_told_with_its_words() -> None:
    lines, log = logging()
    with pytest.raises(SourceError), log.request("RETR", "ftp://host/file"):
        raise SourceError(ErrorId.SOURCE_TIMEOUT, "nothing came for 60 s", remedy="Wait.")
    assert lines == ["RETR ftp://host/file: 0 B, nothing came for 60 s, 0.25 s"]


def test_an_interruption_is_told() -> None:
    lines, log = logging()
    with pytest.raises(KeyboardInterrupt), log.request("GET", "https://host/file"):
        raise KeyboardInterrupt
    assert lines == ["GET https://host/file: 0 B, given up (KeyboardInterrupt), 0.25 s"]
