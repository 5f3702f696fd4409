"""Dates in all three forms of RFC 9110 and what is none; dates of the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.dates import http_date, minute, parse_http_date
from tests.unit.mirror.http.a_file import MODIFIED, MODIFIED_S

LAST_S = 253_402_300_799


def test_a_date_is_written_as_rfc_9110_says() -> None:
    assert http_date(MODIFIED_S) == MODIFIED
    assert http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert http_date(LAST_S) == "Fri, 31 Dec 9999 23:59:59 GMT"


@pytest.mark.parametrize("text", [MODIFIED, "Sunday, 13-Sep-20 12:26:40 GMT", "Sun Sep 13 12:26:40 2020"])
def test_three_forms_are_read(text: str) -> None:
    assert parse_http_date(text) == MODIFIED_S


@given(st.integers(0, LAST_S))
def test_what_is_written_is_read_as_the_same_second(seconds: int) -> None:
    assert parse_http_date(http_date(seconds)) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "yesterday", "Sun, 99 Sep 2020 12:26:40 GMT", "Sun, 13 Sep 2020 25:26:40 GMT", "\0", ","]
)
def test_what_is_no_date_is_ignored(text: str) -> None:
    assert parse_http_date(text) is None


@given(st.text(max_size=60))
def test_no_text_stops_it(text: str) -> None:
    found = parse_http_date(text)
    assert found is None or isinstance(found, int)


@given(
    st.sampled_from(["Sun, ", "Sunday, ", ""]),
    st.text("0123456789-: ", max_size=30),
    st.sampled_from(["GMT", "+9999", "-0000", "+99999999", "UTC"]),
)
def test_no_date_like_text_stops_it(day: str, middle: str, zone: str) -> None:
    found = parse_http_date(f"{day}{middle} Sep {middle} {zone}")
    assert found is None or isinstance(found, int)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(MODIFIED_S, "2020-09-13 12:26"), (-1, "1970-01-01 00:00"), (LAST_S + 60, "9999-12-31 23:59")],
)
def test_the_page_writes_the_minute_and_no_date_that_a_calendar_lacks(seconds: int, text: str) -> None:
    assert minute(seconds) == text
