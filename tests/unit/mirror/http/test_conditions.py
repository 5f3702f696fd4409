"""Preconditions in the order of RFC 9110, 13.2.2."""

from __future__ import annotations

import pytest

from mirror.http.conditions import Verdict, judge
from mirror.http.ranges import Span
from tests.unit.mirror.http.a_file import EARLIER, LATER, MODIFIED, a_file

FILE = a_file()
TAG = FILE.etag
PART = Verdict(206, (Span(0, 10),))


def verdict(**fields: str) -> Verdict:
    """Judge a request with these fields, an underscore for each hyphen."""
    return judge({name.replace("_", "-").encode(): value for name, value in fields.items()}, FILE)


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (TAG, 200),
        ("*", 200),
        (" * ", 200),
        (f'"other", {TAG}', 200),
        (f'"other",{TAG},"more"', 200),
        ('"other"', 412),
        ("", 412),
        # If-Match compares strongly
        (f"W/{TAG}", 412),
        (TAG.strip('"'), 412),
        (TAG.upper(), 412),
    ],
)
def test_if_match(field: str, status: int) -> None:
    assert verdict(if_match=field).status == status


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (TAG, 304),
        ("*", 304),
        (f'"other", {TAG}', 304),
        # If-None-Match compares weakly
        (f"W/{TAG}", 304),
        (f'W/"other",W/{TAG}', 304),
        ('"other"', 200),
        ("", 200),
        (TAG.strip('"'), 200),
        (f"w/{TAG}", 200),
    ],
)
def test_if_none_match(field: str, status: int) -> None:
    assert verdict(if_none_match=field).status == status


@pytest.mark.parametrize(
    ("field", "unmodified", "modified"),
    [(EARLIER, 412, 200), (MODIFIED, 200, 304), (LATER, 200, 304), ("no date", 200, 200)],
)
def test_dates(field: str, unmodified: int, modified: int) -> None:
    assert verdict(if_unmodified_since=field).status == unmodified
    assert verdict(if_modified_since=field).status == modified


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        # a tag overrules its date
        ({"if_match": TAG, "if_unmodified_since": EARLIER}, 200),
        ({"if_none_match": '"other"', "if_modified_since": LATER}, 200),
        # If-Match and If-Unmodified-Since come first
        ({"if_match": '"other"', "if_none_match": TAG}, 412),
        ({"if_match": TAG, "if_none_match": TAG}, 304),
        ({"if_unmodified_since": EARLIER, "if_none_match": TAG}, 412),
        ({"if_unmodified_since": EARLIER, "if_modified_since": LATER}, 412),
        ({"if_unmodified_since": LATER, "if_modified_since": LATER}, 304),
        # then the range
        ({"if_match": '"other"', "range": "bytes=0-9"}, 412),
        ({"if_none_match": TAG, "range": "bytes=5000-"}, 304),
        ({"if_none_match": '"other"', "range": "bytes=5000-"}, 416),
        ({"if_match": TAG, "range": "bytes=0-9"}, 206),
        ({"range": "lines=0-9"}, 200),
    ],
)
def test_order(fields: dict[str, str], status: int) -> None:
    assert verdict(**fields).status == status


@pytest.mark.parametrize(
    ("validator", "expected"),
    [
        (TAG, PART),
        (f" {TAG} ", PART),
        ('"other"', Verdict(200)),
        (f"W/{TAG}", Verdict(200)),
        ("*", Verdict(200)),
        # not even its own: the same file of another bundle may have the same date
        (MODIFIED, Verdict(200)),
        (EARLIER, Verdict(200)),
        (LATER, Verdict(200)),
        ("no date", Verdict(200)),
        ("", Verdict(200)),
    ],
)
def test_if_range(validator: str, expected: Verdict) -> None:
    assert verdict(if_range=validator, range="bytes=0-9") == expected


def test_if_range_that_does_not_hold_makes_no_range_unsatisfiable() -> None:
    assert verdict(if_range='"other"', range="bytes=5000-") == Verdict(200)
    assert verdict(if_range=TAG, range="bytes=5000-") == Verdict(416)


def test_if_range_without_a_range_means_nothing() -> None:
    assert verdict(if_range='"other"') == Verdict(200)
