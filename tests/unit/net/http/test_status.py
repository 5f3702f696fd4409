from __future__ import annotations

import pytest

from bundler.errors import ErrorId
from bundler.net.http.status import error_for_status, http_date_s, retry_after_s
from tests.fakes.transport import FakeResponse, Reply


@pytest.mark.parametrize(
    ("status", "id", "retryable"),
    [
        (401, ErrorId.SOURCE_UNAUTHORIZED, False),
        (403, ErrorId.SOURCE_UNAUTHORIZED, False),
        (404, ErrorId.SOURCE_NOT_FOUND, False),
        (410, ErrorId.SOURCE_NOT_FOUND, False),
        (408, ErrorId.SOURCE_BUSY, True),
        (425, ErrorId.SOURCE_BUSY, True),
        (429, ErrorId.SOURCE_BUSY, True),
        (500, ErrorId.SOURCE_BUSY, True),
        (503, ErrorId.SOURCE_BUSY, True),
        (522, ErrorId.SOURCE_BUSY, True),
        (501, ErrorId.SOURCE_REFUSED, False),
        (400, ErrorId.SOURCE_REFUSED, False),
        (304, ErrorId.SOURCE_REFUSED, False),
        (451, ErrorId.SOURCE_REFUSED, False),
    ],
)
def test_each_status_has_its_reaction(status: int, id: ErrorId, retryable: bool) -> None:  # noqa: A002 - the field's name
    error = error_for_status(FakeResponse(Reply(status), "https://dl.example/a"))
    assert (error.id, error.retryable) == (id, retryable)
    assert str(status) in str(error)
    assert "https://dl.example/a" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:30 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_own_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers) == seconds
    assert error_for_status(FakeResponse(Reply(503, headers))).retry_after_s == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60),
        ("Thursday, 01-Jan-70 00:01:00 GMT", 60),
        ("Thu, 01 Jan 1970 00:01:00 -0000", 60),
        ("Wed, 31 Dec 1969 23:59:59 GMT", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_http_dates(text: str, seconds: int | None) -> None:
    assert http_date_s(text) == seconds
